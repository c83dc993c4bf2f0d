package cases

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// edited is what a write does besides changing an object, in a gateway with a
// bug. g.mu is held; before is what the object was.
func (g *reference) edited(r *http.Request, before *stored) {
	path := strings.TrimPrefix(r.URL.Path, "/apisix/admin/")
	kind, id, _ := strings.Cut(path, "/")
	now, put, deleted := g.objects[path], r.Method == http.MethodPut, r.Method == http.MethodDelete
	if !put && !deleted {
		return
	}
	switch {
	case g.is("keeps old matches") && put && kind == "routes" && before != nil:
		g.objects[fmt.Sprintf("routes/kept-%s-%d", id, g.rev)] = before
	case g.is("keeps deleted certificates") && deleted && kind == "ssls" && before != nil:
		g.objects["ssls/kept-"+id] = before
	case g.is("copies references") && put && kind == "routes" && now != nil:
		_, up, _ := g.upstream(g.objects, now)
		now.value = without(now.value, "upstream_id", "service_id")
		now.value["upstream"] = up
	case g.is("deletes what a route used") && deleted && before != nil:
		used, _ := before.value["upstream_id"].(string)
		delete(g.objects, "upstreams/"+used)
	case g.is("a delete wins over what follows") && put && before == nil && g.gone[path]:
		now.value = without(now.value, "uris")
		now.value["uri"] = "/nowhere"
	case g.is("loses some edits") && put && before != nil && g.rev%7 == 0:
		g.objects[path] = before
	case g.is("edits cut requests") && put, g.is("deletes cut requests") && deleted:
		g.cuts.Go(g.data.CloseClientConnections) // it waits for handlers, which wait for g.mu
	case g.is("edits begin rounds again"):
		for _, round := range g.turns {
			for i, n := range slices.Sorted(maps.Keys(round)) {
				round[n] = -i
			}
		}
	case g.is("edits forget health"), g.is("edits forget the health of their upstream") && kind == "upstreams":
		clear(g.health)
	case g.is("edits close connections to backends"):
		g.backends.CloseIdleConnections()
	}
	if deleted {
		g.gone[path] = true
	}
}

func without(v object, keys ...string) object {
	v = maps.Clone(v)
	for _, k := range keys {
		delete(v, k)
	}
	return v
}
