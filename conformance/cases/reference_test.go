package cases

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// reference is the simplest gateway that passes the cases, and by its bug one
// that must not. It proves the cases: each has to be green without a bug and red
// with those of the table in proof_test.go.
type reference struct {
	bug         string
	router      router // the default of APISIX where a case names none
	tried       string // path of the route that is looked at
	data, admin *httptest.Server
	control     *httptest.Server

	mu      sync.Mutex
	objects map[string]*stored // "routes/1"
	old     map[string]*stored // before the last write
	rev     int64
	swapped time.Time
	seq     int
	turns   map[string]map[string]int // smooth weighted round robin: upstream, target
	health  map[string]*probed        // of targets that are checked
	active  map[string]int            // requests that targets have not answered yet
	first   map[string][]node         // what an upstream was when it was first used
	careless
	pools map[string]*http.Transport // of a gateway that has some for each connection of a client
	management
	wholes
	hops
	streamless bool           // its Admin API knows no routes of connections
	tls        netip.AddrPort // where it speaks TLS
	handler    http.Handler   // of the data plane
	secure     *http.Server   // speaks TLS
	stapler    stapler
	secrets    secrets

	http2   atomic.Pointer[multiplexer] // and HTTP/2 there
	process                             // the part of it that is drained and started again
	pinned  map[string]map[string]*stored
	gone    map[string]bool    // paths of deleted objects
	decided map[string]*stored // of a bug: by connection
	stop    chan struct{}
	// Backends of cases come and go: connections to them are kept, as a proxy
	// does, but not for long.
	backends *http.Transport
	probers  sync.WaitGroup
}

type stored struct {
	id       string
	value    map[string]any
	create   int64
	modified int64
	order    int
	hole     bool           // of a bug: what matches it finds nothing
	before   map[string]any // the version before
	then     map[string]any // of a bug: what it referred to when it was written
}

const (
	referenceKey    = "reference-key"
	referenceViewer = "reference-viewer-key"
)

func newReference(t *testing.T, bug string) *reference {
	g := &reference{
		bug: bug, objects: map[string]*stored{}, rev: 10, turns: map[string]map[string]int{}, health: map[string]*probed{},
		active: map[string]int{}, first: map[string][]node{}, pinned: map[string]map[string]*stored{}, decided: map[string]*stored{}, gone: map[string]bool{}, stop: make(chan struct{}),
	}
	g.backends = &http.Transport{
		DisableCompression: !g.is("transforms bodies"), IdleConnTimeout: 2 * time.Second, MaxIdleConnsPerHost: 32, DialContext: dialWithin,
		DisableKeepAlives: g.is("connects for every request"),
	}
	g.handler = g.door(http.HandlerFunc(g.serve))
	g.data = httptest.NewUnstartedServer(g.handler)
	g.data.Listener = overhearing{g.data.Listener}
	g.data.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, overheardKey{}, c)
	}
	if !g.is("knows no prior knowledge") {
		g.data.Config.Protocols = new(http.Protocols)
		g.data.Config.Protocols.SetHTTP1(true)
		g.data.Config.Protocols.SetUnencryptedHTTP2(true)
	}
	g.data.Start()
	g.startTLS(t)
	g.admin = httptest.NewServer(http.HandlerFunc(g.manage))
	g.control = httptest.NewServer(http.HandlerFunc(g.steer))
	g.probers.Go(g.probeAll)
	t.Cleanup(func() {
		close(g.stop)
		g.probers.Wait()
		g.data.CloseClientConnections()
		g.data.Close()
		g.admin.Close()
		g.control.Close()
		g.backends.CloseIdleConnections()
	})
	return g
}

func (g *reference) is(bug string) bool { return g.bug == bug }

// serve is the data plane.
func (g *reference) serve(w http.ResponseWriter, r *http.Request) {
	g.lookAhead(r)
	body := g.bodyOf(r)
	g.mu.Lock()
	view := g.view(r)
	if g.is("closes on edit") && time.Since(g.swapped) < 50*time.Millisecond {
		w.Header().Set("Connection", "close")
	}
	dropping := g.is("drops at a reload") && time.Since(g.swapped) < 20*time.Millisecond
	refusal := g.refusal(r)
	route := g.decide(view, r)
	g.mu.Unlock()
	switch {
	case refusal != 0:
		w.WriteHeader(refusal)
	case dropping:
		http.Error(w, "reloading", http.StatusBadGateway)
	case route == nil && g.is("502 without a route"):
		w.WriteHeader(http.StatusBadGateway)
	case route == nil && g.is("own 404"):
		http.NotFound(w, r)
	case route == nil && g.is("closes in silence"):
		w.Header().Set("Content-Length", "36")
		w.WriteHeader(404)
		_, _ = io.WriteString(w, `{"error_msg":"404 Route Not Found"}`+"\n")
		hang, _, _ := w.(http.Hijacker).Hijack()
		_ = hang.Close()
	case route == nil:
		if !g.is("has another name") {
			w.Header().Set("Server", "APISIX/3.18.0")
		}
		w.WriteHeader(404)
		_, _ = io.WriteString(w, `{"error_msg":"404 Route Not Found"}`+"\n")
	default:
		g.proxy(w, r, view, route, body)
	}
}

// view is the configuration that a request follows.
func (g *reference) view(r *http.Request) map[string]*stored {
	switch {
	case g.is("pins connections"):
		if g.pinned[r.RemoteAddr] == nil {
			g.pinned[r.RemoteAddr] = clone(g.objects)
		}
		return g.pinned[r.RemoteAddr]
	case g.is("applies late") && time.Since(g.swapped) < 30*time.Millisecond && g.old != nil:
		return g.old
	case g.is("goes back now and then") && g.old != nil && time.Since(g.swapped).Milliseconds()%10 == 7:
		return g.old
	}
	return clone(g.objects)
}

func clone(m map[string]*stored) map[string]*stored {
	c := make(map[string]*stored, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}

// entry is one host and one path of a route.
type entry struct {
	route    *stored
	uri      string
	host     int // rank: higher is more specific
	exact    bool
	prefix   int
	whole    int // length of the path
	priority float64
}

func (g *reference) match(view map[string]*stored, r *http.Request) *stored {
	host, path := g.hostOf(r), g.pathOf(r)
	var es []entry
	for key, o := range view {
		if !strings.HasPrefix(key, "routes/") || !g.enabled(o) {
			continue
		}
		hosts := g.hostsOf(view, o)
		for i, u := range g.uris(o) {
			exact, prefix, ok := g.path(u, path)
			if rank, fits := g.rank(g.paired(hosts, i), host, r.Host); ok && fits {
				es = append(es, entry{o, u, rank, exact, g.rankOf(u, prefix), g.lengthOf(u), g.priority(o)})
			}
		}
	}
	shortestFirst := g.is("wildcards by chance") && rand.IntN(8) == 0
	slices.SortFunc(es, func(a, b entry) int {
		first := 0
		if shortestFirst && max(a.host, b.host) < exactHost {
			first = cmp.Compare(a.host, b.host)
		}
		if g.is("priority first") {
			first = cmp.Compare(b.priority, a.priority)
		}
		if g.is("paths before hosts") {
			first = cmp.Or(cmp.Compare(number(b.exact), number(a.exact)), cmp.Compare(b.prefix, a.prefix))
		}
		return cmp.Or(first, cmp.Compare(g.level(b.host), g.level(a.host)), cmp.Compare(number(b.exact), number(a.exact)), cmp.Compare(b.prefix, a.prefix),
			cmp.Compare(b.priority, a.priority), g.hostOrder(a, b), cmp.Compare(b.whole, a.whole), g.tie(a.route, b.route))
	})
	for i, e := range es {
		if g.is("host decides first") && e.host != bestHost(view, host, g) {
			return nil
		}
		g.tried = e.uri
		if g.holds(e.route, r, path) {
			return e.route
		}
		if g.is("best match or nothing") && i == 0 {
			return nil
		}
	}
	return nil
}

// bestHost is the rank of the most specific host that any route has for it.
func bestHost(view map[string]*stored, host string, g *reference) int {
	best := -1
	for key, o := range view {
		if strings.HasPrefix(key, "routes/") {
			if rank, ok := g.host(g.hostsOf(view, o), host); ok {
				best = max(best, rank)
			}
		}
	}
	return best
}

func (g *reference) host(hosts []string, host string) (rank int, ok bool) {
	if len(hosts) == 0 || g.is("ignores hosts") {
		return 0, true
	}
	for _, h := range hosts {
		h = strings.ToLower(h)
		if h == "*" {
			if g.is("knows no host *") {
				continue
			}
			rank, ok = 1, !g.is("the host * is no host") // better than none
			if !ok {
				return 0, true
			}
			continue
		}
		suffix, wild := strings.CutPrefix(h, "*")
		switch {
		case !wild && h == host:
			return exactHost, true
		case wild && strings.HasSuffix(host, suffix):
			if g.is("one label") && strings.Contains(strings.TrimSuffix(host, suffix), ".") {
				continue
			}
			rank, ok = max(rank, len(suffix)), true
		case wild && g.is("wildcard covers the domain") && "."+host == suffix:
			rank, ok = max(rank, len(suffix)), true
		}
	}
	return g.ranked(hosts, rank), ok
}

func (g *reference) path(uri, path string) (exact bool, prefix int, ok bool) {
	if exact, prefix, ok, special := g.specialPath(uri, path); special {
		return exact, prefix, ok
	}
	before, star := strings.CutSuffix(uri, "*")
	switch {
	case !star && g.is("exact is prefix"):
		return true, 0, strings.HasPrefix(path, uri)
	case !star:
		return true, 0, uri == path
	case g.is("prefix by segment"):
		return false, len(before), path == before || strings.HasPrefix(path, strings.TrimSuffix(before, "/")+"/")
	case g.is("prefix without its slash"):
		return false, len(before), strings.HasPrefix(path, strings.TrimSuffix(before, "/"))
	}
	return false, len(before), strings.HasPrefix(path, before)
}

func (g *reference) method(o *stored, method string) bool {
	ms := texts(o.value, "", "methods")
	return len(ms) == 0 || g.is("ignores methods") || slices.Contains(ms, method) && !g.unknown(method) || g.is("head is get") && method == "HEAD" && slices.Contains(ms, "GET") || g.oddMethod(ms, method)
}

func texts(v map[string]any, one, many string) []string {
	var out []string
	if s, ok := v[one].(string); ok {
		out = append(out, s)
	}
	list, _ := v[many].([]any)
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// listed are texts of which a list counts alone.
func (g *reference) listed(v map[string]any, one, many string) []string {
	if list := texts(v, "", many); len(list) > 0 && !g.is("takes one before a list") && !g.is("joins one and a list") {
		return list
	}
	if list := texts(v, one, ""); len(list) > 0 && !g.is("joins one and a list") {
		return list
	}
	return texts(v, one, many)
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
