package cases

import (
	"cmp"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// refusal is the status of a request that is not routed at all, or 0.
func (g *reference) refusal(r *http.Request) int {
	if strings.Contains(r.URL.Path, "\x00") && !g.is("routes a NUL") {
		return http.StatusBadRequest
	}
	if strings.HasPrefix(resolve(r.URL.Path)+"/", "/../") && !g.is("serves what is above the root") {
		return http.StatusBadRequest
	}
	if g.is("answers OPTIONS itself") && r.Method == http.MethodOptions {
		return http.StatusNoContent
	}
	return 0
}

// decide finds the route of a request.
func (g *reference) decide(view map[string]*stored, r *http.Request) *stored {
	if g.is("decides once for a connection") {
		if g.decided[r.RemoteAddr] == nil {
			g.decided[r.RemoteAddr] = g.match(view, r)
		}
		return g.decided[r.RemoteAddr]
	}
	route := g.match(view, r)
	if route != nil && route.hole {
		return nil
	}
	return route
}

// oddMethod is how gateways take a method for another.
func (g *reference) oddMethod(listed []string, method string) bool {
	known := slices.Contains([]string{"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "PURGE"}, method)
	return g.is("methods without case") && slices.Contains(listed, strings.ToUpper(method)) ||
		g.is("an unknown method is GET") && !known && slices.Contains(listed, "GET") ||
		g.is("OPTIONS is implied") && method == "OPTIONS"
}

// unknown says whether a method is none for the gateway.
func (g *reference) unknown(method string) bool {
	return g.is("knows four methods") && !slices.Contains([]string{"GET", "POST", "PUT", "DELETE"}, method)
}

func (g *reference) enabled(o *stored) bool {
	status, said := o.value["status"].(float64)
	if g.is("status of the first version") && o.modified != o.create {
		return true
	}
	return !said || status != 0 || g.is("ignores status") || g.is("a route that is off is a hole")
}

func (g *reference) priority(o *stored) float64 {
	p, said := o.value["priority"].(float64)
	switch {
	case !said && g.is("the default priority is 10"):
		return 10
	case g.is("ignores priorities"):
		return 0
	case g.is("priorities of 32 bits"):
		return float64(int32(int64(p)))
	case g.is("priorities are floats"):
		return float64(float32(p))
	}
	return p
}

// paired are the hosts that count for the i-th path.
func (g *reference) paired(hosts []string, i int) []string {
	if g.is("pairs hosts and paths") && len(hosts) > 1 {
		return hosts[min(i, len(hosts)-1):][:1]
	}
	return hosts
}

// ranked is the rank of a host of a route among all of its hosts.
func (g *reference) ranked(hosts []string, rank int) int {
	if g.is("one rank for all hosts") && slices.ContainsFunc(hosts, func(h string) bool { return !strings.HasPrefix(h, "*") }) {
		return exactHost
	}
	return rank
}

func (g *reference) uris(o *stored) []string {
	uris := g.listed(o.value, "uri", "uris")
	if g.is("first path only") {
		uris = uris[:min(1, len(uris))]
	}
	if g.is("knows 256 routes") && o.order >= 256 {
		return nil
	}
	return uris
}

// tie orders two routes that are alike.
func (g *reference) tie(a, b *stored) int {
	older := cmp.Compare(a.order, b.order)
	switch {
	case g.is("equal routes by chance"):
		return rand.IntN(2)*2 - 1
	case g.is("equal routes by revision"):
		return older * int(1-2*(g.rev%2))
	case g.is("the younger wins"):
		return -older
	case g.is("the id decides"):
		return cmp.Or(cmp.Compare(a.id, b.id), older)
	}
	return older
}

// holds says whether the conditions of a route hold beside host and path.
func (g *reference) holds(o *stored, r *http.Request, path string) bool {
	method := r.Method
	if m := r.Header.Get("X-HTTP-Method-Override"); m != "" && g.is("believes X-HTTP-Method-Override") {
		method = m
	}
	if off, said := o.value["status"].(float64); said && off == 0 && g.is("a route that is off is a hole") {
		o.hole = true
	}
	if o.value["filter_func"] != nil && !g.is("ignores filter_func") {
		return false
	}
	vars, _ := o.value["vars"].([]any)
	return g.method(o, method) && g.remote(o, r) && (g.is("ignores vars") || g.all(r, path, vars))
}

// remote says whether the client's address is one of those of the route.
func (g *reference) remote(o *stored, r *http.Request) bool {
	list := g.listed(o.value, "remote_addr", "remote_addrs")
	if len(list) == 0 || g.is("ignores remote addresses") {
		return true
	}
	from := g.routedBy(r)
	if f := r.Header.Get("X-Forwarded-For"); f != "" && g.is("believes claimed addresses") {
		from = f
	}
	if g.is("first address only") {
		list = list[:1]
	}
	for _, l := range list {
		if g.is("addresses by octets") && strings.Contains(l, "/") {
			l = strings.Split(l, "/")[0]
			l = l[:strings.LastIndexAny(l, ".:")+1]
			if strings.HasPrefix(from, l) {
				return true
			}
			continue
		}
		if inside(from, l) {
			return true
		}
	}
	return false
}

// inside says whether an address is a network's, or another's equal.
func inside(addr, network string) bool {
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return false
	}
	if p, err := netip.ParsePrefix(network); err == nil {
		return p.Contains(a)
	}
	b, err := netip.ParseAddr(network)
	return err == nil && a == b
}
