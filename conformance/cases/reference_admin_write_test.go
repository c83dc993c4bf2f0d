package cases

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (g *reference) post(w http.ResponseWriter, r *http.Request, kind, id string, body []byte) {
	var v object
	_ = json.Unmarshal(body, &v)
	if (id != "" || v["id"] != nil) && !g.is("POST takes ids") {
		reply(w, 400, object{"error_msg": "wrong " + kindName(kind) + " id, do not need it"})
		return
	}
	chosen := fmt.Sprintf("%020d", g.rev+1)
	switch {
	case g.is("POST gives one id"):
		chosen = "00000000000000000001"
	case g.is("POST takes ids") && v["id"] != nil:
		chosen = idText(v["id"])
	}
	g.put(w, r, kind, chosen, body)
}

func (g *reference) put(w http.ResponseWriter, r *http.Request, kind, id string, body []byte) {
	var v object
	err := json.Unmarshal(body, &v)
	if kind == "consumers" && id == "" {
		id, _ = v["username"].(string)
	}
	msg := g.wrong(kind, id, body, v, err)
	switch {
	case msg != "":
	case id == "" && v["id"] == nil:
		msg = "missing " + kindName(kind) + " id"
	case id == "":
		id = idText(v["id"])
	}
	if g.is("cuts ids") {
		id = id[:min(len(id), 60)]
	}
	if g.is("folds ids") {
		id = strings.ToLower(id)
	}
	if msg == "" && !legalID.MatchString(id) && !g.is("takes any id") && kind != "consumers" {
		msg = "invalid id"
	}
	if own := idText(v["id"]); msg == "" && kind == "consumers" && own != "" && !legalID.MatchString(own) && !g.is("looks at no id of consumers") {
		msg = `invalid configuration: property "id" validation failed: object matches none of the required`
	}
	path := kind + "/" + id
	status := 400
	if msg == "" {
		msg = g.taken(kind, id, v)
	}
	if msg == "" && (!g.is("force writes") || !r.URL.Query().Has("force")) {
		msg = g.dangling(kind, id, v)
	}
	if msg == "" && g.ownerless(kind) && !g.is("credentials of nobody") {
		status, msg = 404, "consumer not found"
	}
	if msg != "" {
		reply(w, status, object{"error_msg": msg})
		if g.is("replaces before it looks") {
			delete(g.objects, path)
		}
		return
	}
	g.store(w, r, kind, id, v)
}

// store is the end of every write.
func (g *reference) store(w http.ResponseWriter, r *http.Request, kind, id string, v object) {
	path := kind + "/" + id
	g.begin(w)
	o, status := g.objects[path], http.StatusOK
	next := &stored{id: id, value: v, modified: g.rev, create: g.rev, order: g.seq}
	g.seq++
	var end time.Time
	if s := r.URL.Query().Get("ttl"); s != "" {
		f, _ := strconv.ParseFloat(s, 64)
		end = time.Now().Add(time.Duration(f * float64(time.Second)))
	}
	if g.is("keeps the end") && o != nil && end.IsZero() {
		end = g.ends[o]
	}
	g.stamp(kind, id, v, o)
	g.seal(r.Method, v)
	if o == nil {
		status = http.StatusCreated
	} else {
		next.create, next.order, next.before = o.create, o.order, o.value
		if g.is("follows what was refused") {
			next.before = g.asItStands(o.value)
		}
	}
	g.spoilWrite(path, id, o, next)
	if g.is("always 200") {
		status = http.StatusOK
	}
	if g.is("always 201") {
		status = http.StatusCreated
	}
	if g.is("stores defaults") {
		v["priority"] = 0
	}
	g.garble(v)
	g.objects[path] = next
	g.remember(path, next, end)
	if r.Method == "POST" && g.is("hides the id of POST") {
		v = maps.Clone(v)
		delete(v, "id")
	}
	if r.Method == "POST" {
		status = http.StatusCreated
	}
	answer := object{"key": "/apisix/" + path, "value": g.public(kind, v, g.is("PUT shows keys"))}
	if g.is("indexes on writes") {
		answer["modifiedIndex"] = g.rev
	}
	if g.is("looks at wait after the write") && !g.waits(w, r) {
		return
	}
	g.tellApplied(w, r, answer)
	reply(w, status, answer)
}

// stamp sets id and times.
func (g *reference) stamp(kind, id string, v object, o *stored) {
	now := float64(time.Now().Unix())
	if g.is("counts milliseconds") {
		now *= 1000
	}
	if kind != "consumers" || g.is("consumers have ids") {
		v["id"] = id
	} else {
		delete(v, "id")
	}
	if manager, ok := strings.CutPrefix(kind, "secrets/"); ok && !g.is("one kind of secrets") {
		v["id"] = manager + "/" + id
	}
	if kind == "plugin_metadata" && !g.is("stamps metadata") {
		return
	}
	v["create_time"], v["update_time"] = now, now
	if o != nil && !g.is("forgets create_time") {
		v["create_time"] = o.value["create_time"]
		if g.is("update_time stays") {
			v["update_time"] = o.value["update_time"]
		}
	}
	if !g.is("PATCH keeps no times") {
		maps.Copy(v, g.times)
	}
	g.times = nil
	if g.is("forgets create_time of upstreams") && kind == "upstreams" {
		v["create_time"] = time.Now().UnixNano() // seconds would be the same by chance
	}
}

// garble is what a store does to values that does not keep its hands off them.
func (g *reference) garble(v object) {
	desc, _ := v["desc"].(string)
	switch {
	case g.is("cuts at NUL"):
		desc, _, _ = strings.Cut(desc, "\x00")
	case g.is("escapes HTML"):
		desc = strings.ReplaceAll(desc, "<", "&lt;")
	case g.is("trims text"):
		desc = strings.TrimSpace(desc)
	case g.is("stores Latin-1"):
		desc = strings.ToValidUTF8(strings.Map(func(r rune) rune {
			if r > 255 {
				return '?'
			}
			return r
		}, desc), "?")
	}
	if _, ok := v["desc"].(string); ok {
		v["desc"] = desc
	}
	if p, ok := v["priority"].(float64); ok && g.is("keeps 32 bits") {
		v["priority"] = float64(int32(int64(p)))
	}
	up, _ := v["upstream"].(object)
	timeout, _ := up["timeout"].(object)
	for name, f := range timeout {
		if n, ok := f.(float64); ok && g.is("rounds fractions") {
			timeout[name] = math.Ceil(n)
		}
	}
	for name, f := range v {
		if (f == 0.0 || f == false) && g.is("drops zeros") {
			delete(v, name)
		}
	}
}

// patch merges, or sets a part.
func (g *reference) patch(w http.ResponseWriter, r *http.Request, kind, id string, sub *string, body []byte, o *stored) {
	var change any
	_ = json.Unmarshal(body, &change)
	members, isObject := change.(object)
	msg := ""
	switch {
	case len(body) == 0:
		msg = "missing new configuration"
	case sub == nil && !isObject:
		msg = "invalid configuration"
	}
	switch {
	case msg != "":
		reply(w, 400, object{"error_msg": msg})
		return
	case o == nil && g.is("PATCH creates"):
		g.put(w, r, kind, id, body)
		return
	case o == nil:
		reply(w, 404, object{"message": "Key not found"})
		return
	}
	v, _ := deepCopy(o.value).(object)
	if g.is("PATCH in two steps") {
		g.breathe()
	}
	switch {
	case sub == nil && g.is("PATCH replaces"):
		v = members
	case sub == nil:
		g.merge(v, members)
	case *sub == "" && isObject && !g.is("PATCH of all merges"):
		v = members
	case *sub == "":
		g.merge(v, members)
	default:
		msg = g.setAt(v, strings.Split(*sub, "/"), change)
	}
	if given, ok := v["id"]; ok && given != id && !strings.HasPrefix(kind, "secrets/") {
		msg = "wrong " + kindName(kind) + " id"
	}
	if g.is("patches routes only") && kind != "routes" && kind != "upstreams" {
		msg = "not supported"
	}
	times := object{}
	for _, name := range []string{"create_time", "update_time"} {
		if t, ok := members[name]; ok && sub == nil {
			times[name] = t
		}
	}
	delete(v, "create_time")
	delete(v, "update_time")
	if msg == "" && !g.is("PATCH looks at the change only") {
		msg = g.wrong(kind, id, []byte("{}"), v, nil)
	}
	if msg != "" {
		reply(w, 400, object{"error_msg": msg})
		return
	}
	if g.is("PATCH answers the change") && isObject {
		defer func(real object) { g.objects[kind+"/"+id].value = real }(v)
		v = members
	}
	g.times = times
	g.store(w, r, kind, id, v)
}

func (g *reference) merge(into, change object) {
	for name, v := range change {
		was, ok1 := into[name].(object)
		is, ok2 := v.(object)
		old, ok3 := into[name].([]any)
		more, ok4 := v.([]any)
		switch {
		case v == nil && !g.is("PATCH keeps null"):
			delete(into, name)
		case ok1 && ok2 && !g.is("PATCH is flat"):
			g.merge(was, is)
		case ok3 && ok4 && g.is("PATCH joins arrays"):
			into[name] = append(slices.Clone(old), more...)
		default:
			into[name] = v
		}
	}
}

func (g *reference) setAt(v object, path []string, to any) string {
	at := v
	for i, name := range path[:len(path)-1] {
		if at[name] == nil && !g.is("PATCH makes no way") {
			at[name] = object{}
		}
		next, ok := at[name].(object)
		if !ok {
			if g.is("PATCH replaces what is in the way") {
				next = object{}
				at[name] = next
			} else {
				return "invalid sub-path: /" + strings.Join(path[:i+1], "/")
			}
		}
		at = next
	}
	last := path[len(path)-1]
	was, ok1 := at[last].(object)
	is, ok2 := to.(object)
	if ok1 && ok2 && g.is("PATCH of a part merges") {
		g.merge(was, is)
		return ""
	}
	at[last] = to
	return ""
}

func deepCopy(v any) any {
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	var out any
	_ = json.Unmarshal(b, &out)
	return out
}

// wrong is a schema of what the cases use.
func (g *reference) wrong(kind, id string, body []byte, v object, err error) string {
	up, inline := v["upstream"].(object)
	switch {
	case len(body) == 0:
		return "missing configurations"
	case err != nil:
		var list any
		_ = json.Unmarshal(body, &list)
		return "invalid configuration: " + g.breaks(object{"type": "object"}, list)
	case id == "" && kind == "plugin_metadata":
		return "missing plugin name"
	case id == "" && (strings.HasPrefix(kind, "secrets") || strings.HasSuffix(kind, "/credentials")):
		return "missing " + kindName(kind) + " id"
	case v["id"] != nil && id != "" && kind != "consumers" && g.idOf(v) != id && !g.is("body renames") && !strings.HasPrefix(kind, "secrets/") && !g.is("ids after the object"):
		return "wrong " + kindName(kind) + " id"
	case kind == "consumers" && v["username"] != nil && v["username"] != id && !g.is("consumers are renamed"):
		return "wrong username"
	}
	forbidden := ""
	plugins, _ := v["plugins"].(object)
	for _, within := range []struct {
		name  string
		v     object
		looks bool
	}{{"", v, !g.is("takes times")}, {"upstream.", up, inline && !g.is("takes times of upstreams")}, {"plugins.", plugins, true}} {
		for _, name := range []string{"create_time", "update_time"} {
			if within.looks && within.v[name] != nil && (forbidden == "" || !g.is("names one forbidden property")) {
				forbidden += " " + within.name + name
			}
		}
	}
	if forbidden != "" {
		return "the property is forbidden: " + forbidden
	}
	return cmp.Or(g.refuses(kind, id, v), g.refusesGroup(kind+"/"+id, v))
}
