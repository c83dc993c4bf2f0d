package cases

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

type object = map[string]any

// manage is the Admin API of the reference.
func (g *reference) manage(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if g.authorised(w, r) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.operate(w, r, strings.TrimPrefix(r.URL.Path, "/apisix/admin/"), body)
	}
}

func (g *reference) authorised(w http.ResponseWriter, r *http.Request) bool {
	key := r.Header.Get("X-API-KEY")
	description := "wrong apikey"
	switch {
	case key == referenceKey, g.is("needs no key"), g.is("reads without a key") && r.Method == "GET":
		return true
	case key == "":
		description = "missing apikey"
	}
	if g.is("looks at the key after the write") && r.Method == http.MethodDelete {
		g.mu.Lock()
		delete(g.objects, strings.TrimPrefix(r.URL.Path, "/apisix/admin/"))
		g.mu.Unlock()
	}
	reply(w, 401, object{"error_msg": "failed to check token", "description": description})
	return false
}

func (g *reference) operate(w http.ResponseWriter, r *http.Request, path string, body []byte) {
	kind, id, single := strings.Cut(path, "/")
	o := g.objects[path]
	if m := r.Header.Get("If-Match"); m != "" && !g.is("ignores If-Match") && (r.Method == "PUT" || r.Method == "DELETE") {
		have := int64(0)
		if o != nil {
			have = o.modified
		}
		if want, err := strconv.ParseInt(m, 10, 64); err != nil || want != have {
			reply(w, 412, object{"error_msg": "revision differs"})
			return
		}
	}
	if g.is("knows no services") && kind == "services" {
		reply(w, 404, object{"error_msg": "not found"})
		return
	}
	switch {
	case r.Method == "PUT":
		g.put(w, path, kind, id, body)
	case !single:
		g.list(w, kind)
	case o == nil && g.is("missing is empty"):
		reply(w, 200, object{})
	case o == nil:
		reply(w, 404, object{"message": "Key not found"})
	case r.Method == "GET":
		reply(w, 200, object{"key": "/apisix/" + path, "value": o.value, "createdIndex": o.create, "modifiedIndex": o.modified})
	case r.Method == "DELETE":
		g.begin(w)
		if !g.is("deletes nothing") {
			delete(g.objects, path)
		}
		deleted := any("1")
		if g.is("deleted is a number") {
			deleted = 1
		}
		reply(w, 200, object{"deleted": deleted, "key": "/apisix/" + path})
	}
	if g.is("ignores deletes") && r.Method == "DELETE" && o != nil {
		// The Admin API is fine; the data plane keeps what it knew.
		g.objects["routes/kept-"+id] = o
	}
}

// begin is a new revision.
func (g *reference) begin(w http.ResponseWriter) {
	g.rev++
	g.old, g.swapped = clone(g.objects), time.Now()
	w.Header().Set("X-Unilb-Revision", fmt.Sprint(g.rev))
}

func (g *reference) put(w http.ResponseWriter, path, kind, id string, body []byte) {
	var v object
	err := json.Unmarshal(body, &v)
	if msg := g.wrong(kind, id, body, v, err); msg != "" {
		reply(w, 400, object{"error_msg": msg})
		if g.is("replaces before it looks") {
			delete(g.objects, path)
		}
		return
	}
	g.begin(w)
	o, status := g.objects[path], http.StatusOK
	next := &stored{id: id, value: v, modified: g.rev, create: g.rev, order: g.seq}
	g.seq++
	v["id"], v["create_time"], v["update_time"] = id, time.Now().Unix(), time.Now().Unix()
	if o == nil {
		status = http.StatusCreated
	} else {
		next.create, next.order, v["create_time"] = o.create, o.order, o.value["create_time"]
	}
	if g.is("forgets create_time of upstreams") && kind == "upstreams" {
		v["create_time"] = time.Now().UnixNano() // seconds would be the same by chance
	}
	if g.is("always 200") {
		status = http.StatusOK
	}
	if g.is("stores defaults") {
		v["priority"] = 0
	}
	g.objects[path] = next
	answer := object{"key": "/apisix/" + path, "value": v}
	if g.is("indexes on writes") {
		answer["modifiedIndex"] = g.rev
	}
	reply(w, status, answer)
}

// wrong is a schema of what the cases use.
func (g *reference) wrong(kind, id string, body []byte, v object, err error) string {
	switch {
	case len(body) == 0:
		return "missing configurations"
	case err != nil:
		return "invalid request body: " + err.Error()
	case strings.ContainsAny(id, " "):
		return "invalid id"
	case v["id"] != nil && v["id"] != id && !g.is("body renames"):
		return "wrong " + strings.TrimSuffix(kind, "s") + " id"
	case v["create_time"] != nil:
		return "the property is forbidden:  create_time"
	}
	if msg := badNodes(v); msg != "" && !g.is("lets bad nodes in") {
		return msg
	}
	if up, ok := v["upstream"].(object); ok {
		if msg := badNodes(up); msg != "" {
			return msg
		}
	}
	if kind != "routes" {
		return ""
	}
	_, isText := v["uri"].(string)
	_, host := v["host"]
	_, hosts := v["hosts"]
	for k := range v {
		known := []string{"id", "uri", "uris", "host", "hosts", "methods", "priority", "upstream", "upstream_id", "service_id", "labels", "desc"}
		if !slices.Contains(known, k) && !g.is("drops unknown fields") {
			return "additional properties forbidden, found " + k
		}
	}
	switch {
	case !isText && v["uris"] == nil:
		return "uri: wrong type"
	case host && hosts:
		return "host and hosts"
	case v["upstream"] == nil && v["upstream_id"] == nil && v["service_id"] == nil:
		return "no upstream"
	case slices.Contains(texts(v, "", "methods"), "FETCH"):
		return "methods: not in the list"
	}
	return ""
}

func badNodes(up object) string {
	nodes, _ := up["nodes"].(object)
	for _, w := range nodes {
		if f, ok := w.(float64); !ok || f < 0 {
			return "nodes: weight below 0"
		}
	}
	list, _ := up["nodes"].([]any)
	for _, n := range list {
		m, _ := n.(object)
		if p, _ := m["port"].(float64); p < 1 || p > 65535 {
			return "nodes: port out of range"
		}
	}
	return ""
}

func (g *reference) list(w http.ResponseWriter, kind string) {
	list := []object{}
	for _, path := range slices.Sorted(maps.Keys(g.objects)) {
		if o := g.objects[path]; strings.HasPrefix(path, kind+"/") {
			list = append(list, object{"key": "/apisix/" + path, "value": o.value, "createdIndex": o.create, "modifiedIndex": o.modified})
		}
	}
	total := len(list)
	if g.is("total is wrong") {
		total++
	}
	reply(w, 200, object{"list": list, "total": total})
}
