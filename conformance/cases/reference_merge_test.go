package cases

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// hostsOf are the hosts of a route, or those of its service.
func (g *reference) hostsOf(view map[string]*stored, o *stored) []string {
	hosts := g.listed(o.value, "host", "hosts")
	if g.is("first host only") {
		hosts = hosts[:min(1, len(hosts))]
	}
	id, _ := o.value["service_id"].(string)
	s := view["services/"+id]
	if s == nil || g.is("ignores hosts of services") {
		return hosts
	}
	inherited := texts(s.value, "", "hosts")
	if then, ok := o.then["hosts"].([]string); ok {
		inherited = then
	}
	if len(hosts) == 0 || g.is("adds hosts of services") {
		hosts = append(hosts, inherited...)
	}
	return hosts
}

// upstream is what a route and its service make together; missing is the status
// when something is not there.
func (g *reference) upstream(view map[string]*stored, route *stored) (name string, up map[string]any, missing int) {
	name = "routes/" + route.id
	inline, id := route.value["upstream"], route.value["upstream_id"]
	if sid, ok := route.value["service_id"].(string); ok {
		service := route.refers(view, "services/"+sid)
		if service == nil {
			return "", nil, g.missing(http.StatusNotFound)
		}
		own := inline != nil || id != nil
		if !own || g.is("the service wins") || g.is("an id of the service wins") && inline != nil && service["upstream_id"] != nil {
			name, inline, id = "services/"+sid, service["upstream"], service["upstream_id"]
		}
		if !own && g.is("a service names no upstream") {
			id = nil
		}
	}
	if id, ok := id.(string); ok {
		key := "upstreams/" + id
		if g.is("mixes up upstreams") {
			key = slices.Max(slices.Collect(maps.Keys(view))) // upstreams come last
		}
		if up = route.refers(view, key); up == nil {
			return "", nil, g.missing(http.StatusBadGateway)
		}
		return key, up, 0
	}
	up, _ = inline.(map[string]any)
	return name, up, 0
}

// refers is an object that a route refers to; nil when it is not there.
func (o *stored) refers(view map[string]*stored, key string) map[string]any {
	if then, ok := o.then[key].(map[string]any); ok {
		return then
	}
	if now := view[key]; now != nil {
		return now.value
	}
	return nil
}

func (g *reference) missing(status int) int {
	if g.is("always 503 for what is gone") {
		return http.StatusServiceUnavailable
	}
	return status
}

// spoilWrite is what gateways get wrong when an object is written.
func (g *reference) spoilWrite(path, id string, old, next *stored) {
	switch {
	case g.is("keeps old entries") && old != nil:
		kept := *old
		kept.order += 1 << 20 // the new version comes first
		g.objects["routes/kept-"+id] = &kept
	case g.is("an edit makes young"):
		next.order = g.seq
	case g.is("copies what routes refer to") && strings.HasPrefix(path, "routes/"):
		next.then = map[string]any{}
		for key, o := range g.objects {
			next.then[key] = o.value
		}
		if sid, ok := next.value["service_id"].(string); ok && g.objects["services/"+sid] != nil {
			next.then["hosts"] = texts(g.objects["services/"+sid].value, "", "hosts")
		}
	}
}

// respell is what gateways change in a request on its way.
func (g *reference) respell(r, out *http.Request) {
	switch {
	case g.is("resolves dots in queries"):
		out.URL.RawQuery = strings.ReplaceAll(out.URL.RawQuery, "/../", "/")
	case g.is("decodes queries"):
		out.URL.RawQuery = strings.ReplaceAll(out.URL.RawQuery, "%2F", "/")
	case g.is("tells the backend another host"):
		out.Host = "two." + strings.TrimPrefix(r.Host, "one.")
	}
}
