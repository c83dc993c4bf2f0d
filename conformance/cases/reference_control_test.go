package cases

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// steer is the control API.
func (g *reference) steer(w http.ResponseWriter, r *http.Request) {
	kind, id, one := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
	switch {
	case kind == "schema":
		g.tellSchemas(w)
	case kind == "healthcheck":
		g.tellHealth(w, r, id)
	case kind == "explain":
		g.explain(w, r)
	case one:
		g.mu.Lock()
		o := g.objects[kind+"s/"+id]
		g.mu.Unlock()
		if o == nil && g.is("its control API tells what is gone") {
			o = &stored{id: id, value: object{"id": id}}
		}
		if o == nil {
			reply(w, 404, object{"error_msg": fmt.Sprintf("%s[%s] not found", kind, id)})
			return
		}
		reply(w, 200, g.told(kind+"s", id, o))
	default:
		list := []any{}
		g.mu.Lock()
		defer g.mu.Unlock()
		for _, key := range slices.Sorted(maps.Keys(g.objects)) {
			if dir, id, _ := strings.Cut(key, "/"); dir == kind && !g.is("its control API lists nothing") {
				list = append(list, g.told(dir, id, g.objects[key]))
			}
		}
		reply(w, 200, list)
	}
}

func (g *reference) told(dir, id string, o *stored) object {
	value := maps.Clone(o.value)
	value["id"] = id
	if g.is("its control API tells other values") {
		delete(value, "uri")
	}
	item := object{"key": "/apisix/" + dir + "/" + id, "value": value, "update_count": 0, "createdIndex": o.create, "modifiedIndex": o.modified}
	if g.is("its control API tells no revisions") {
		item["modifiedIndex"] = 0
	}
	return item
}

func (g *reference) tellSchemas(w http.ResponseWriter) {
	main, plugins := object{}, object{}
	for _, kind := range []string{"route", "service", "upstream", "consumer", "ssl", "global_rule"} {
		if !g.is("tells no kinds") {
			main[kind] = object{"properties": object{}}
		}
	}
	if !g.is("tells no plugins") {
		plugins["key-auth"] = object{"schema": object{}, "consumer_schema": object{}, "priority": 2500, "version": 0.1, "type": "auth"}
	}
	reply(w, 200, object{"main": main, "plugins": plugins, "stream_plugins": object{}})
}

func (g *reference) tellHealth(w http.ResponseWriter, r *http.Request, path string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	checkers, rows := []any{}, ""
	one := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(g.objects)) {
		up := g.objects[key].value
		checks, _ := up["checks"].(object)
		if !strings.HasPrefix(key, "upstreams/") || checks == nil && !g.is("has a checker of everything") {
			continue
		}
		nodes := []any{}
		targets, _ := up["nodes"].(object)
		for target := range targets {
			host, port, _ := net.SplitHostPort(target)
			n, _ := strconv.Atoi(port)
			state, failures := "healthy", 0
			if g.out(key, target) && !g.is("calls every target healthy") {
				state, failures = "unhealthy", 2
			}
			address := host
			if _, err := netip.ParseAddr(host); err != nil && !g.is("shows a name for the address") {
				address = "127.0.0.1" // localhost, the only name that cases have
			}
			nodes = append(nodes, object{"ip": address, "port": n, "hostname": host, "status": state, "counter": object{"tcp_failure": failures}})
			rows += "<tr><td>" + target + "</td><td>" + state + "</td></tr>"
		}
		one[key] = object{"name": "/apisix/" + key, "type": "http", "nodes": nodes}
		checkers = append(checkers, one[key])
	}
	kind, id, _ := strings.Cut(path, "/")
	switch {
	case path == "" && r.Header.Get("Accept") == "text/html" && !g.is("has no page of health"):
		_, _ = w.Write([]byte("<table>" + rows + "</table>"))
	case path == "":
		reply(w, 200, checkers)
	case kind != "upstreams":
		reply(w, 400, object{"error_msg": "invalid src type " + kind})
	case g.objects[path] == nil:
		reply(w, 404, object{"error_msg": fmt.Sprintf("upstreams[%s] not found", id)})
	case one[path] == nil:
		reply(w, 404, object{"error_msg": fmt.Sprintf("no checker for upstreams[%s]", id)})
	default:
		reply(w, 200, one[path])
	}
}

// explain is the account of a request: the route, those before it, and who is next.
func (g *reference) explain(w http.ResponseWriter, r *http.Request) {
	asked, err := askedAbout(r.URL.Query())
	if err != nil {
		reply(w, 400, object{"error_msg": err.Error()})
		return
	}
	if g.is("explains without conditions") {
		asked.Header, asked.Method = http.Header{}, "GET"
	}
	g.mu.Lock()
	view := clone(g.objects)
	route := g.match(view, asked)
	g.mu.Unlock()
	answer := object{"route": nil, "generated": object{"status": 404}, "refused": g.refusedFor(view, asked, route), "objects": []any{}}
	if route != nil {
		key := "/apisix/routes/" + route.id
		answer["route"], answer["generated"] = object{"key": key}, nil
		if !g.is("explains without revisions") {
			answer["objects"] = []any{object{"key": key, "modified": route.modified}}
		}
		answer["upstream"] = object{"next": []any{[]any{g.nextFor(view, route, asked)}}}
	}
	reply(w, 200, answer)
}

func askedAbout(q url.Values) (*http.Request, error) {
	method := q.Get("method")
	if method == "" {
		method = http.MethodGet
	}
	asked, err := http.NewRequest(method, q.Get("url"), http.NoBody)
	if err != nil {
		return nil, err
	}
	asked.RequestURI = asked.URL.RequestURI()
	for _, h := range q["header"] {
		name, value, _ := strings.Cut(h, ": ")
		asked.Header.Set(name, value)
	}
	return asked, nil
}

// refusedFor takes away what matches, again and again: what is looked at before a route is
// what matches once its conditions are gone.
func (g *reference) refusedFor(view map[string]*stored, asked *http.Request, winner *stored) []any {
	g.mu.Lock()
	defer g.mu.Unlock()
	out, left := []any{}, map[string]*stored{}
	for key, o := range view {
		bare := *o
		bare.value = maps.Clone(o.value)
		delete(bare.value, "vars")
		delete(bare.value, "methods")
		left[key] = &bare
	}
	for {
		o := g.match(left, asked)
		if o == nil || winner != nil && o.id == winner.id || len(out) > 9 {
			return out
		}
		why := "its conditions do not hold"
		if g.is("explains without reasons") {
			why = ""
		}
		out = append(out, object{"key": "/apisix/routes/" + o.id, "why": why})
		delete(left, "routes/"+o.id)
	}
}

// nextFor is who would be picked, on a copy of all turns.
func (g *reference) nextFor(view map[string]*stored, route *stored, asked *http.Request) string {
	name, up, missing := g.upstream(view, route)
	if missing != 0 {
		return ""
	}
	nodes := g.nodesOf(name, up)
	if g.is("names the first target as next") {
		return slices.MinFunc(nodes, func(a, b node) int { return strings.Compare(a.target, b.target) }).target
	}
	g.mu.Lock()
	kept := maps.Clone(g.turns[name])
	g.mu.Unlock()
	next := g.pick(name, name, up, nodes, asked, map[string]bool{})
	if !g.is("an account takes a turn") {
		g.mu.Lock()
		g.turns[name] = kept
		g.mu.Unlock()
	}
	return next
}
