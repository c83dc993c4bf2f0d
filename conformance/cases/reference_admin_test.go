package cases

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

type object = map[string]any

// management is what the Admin API knows beside the objects.
type management struct {
	ends     map[*stored]time.Time // of objects with a ttl
	everUsed map[string]*stored    // all that was ever there
	times    object                // that the change under way sets
}

// remember notes an object that is written.
func (m *management) remember(path string, o *stored, end time.Time) {
	if m.everUsed == nil {
		m.everUsed, m.ends = map[string]*stored{}, map[*stored]time.Time{}
	}
	m.everUsed[path] = o
	if !end.IsZero() {
		m.ends[o] = end
	}
}

// maxAdminBody is the largest body that the reference takes, in bytes.
const maxAdminBody = 1_572_864

// Strings of a body may have bare control characters.
var (
	quoted  = regexp.MustCompile(`(?s)"(?:[^"\\]|\\.)*"`)
	escaped = strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`)
)

// manage is the Admin API of the reference.
func (g *reference) manage(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if g.is("cuts large numbers") {
		body = largeNumber.ReplaceAll(body, []byte("${1}300"))
	}
	if !g.is("strings have one line") {
		body = quoted.ReplaceAllFunc(body, func(text []byte) []byte { return []byte(escaped.Replace(string(text))) })
	}
	h := w.Header()
	h.Set("Access-Control-Expose-Headers", "*")
	h.Set("Access-Control-Max-Age", "3600")
	if !g.is("names no version") {
		h.Set("Server", "APISIX/3.18.0")
	}
	if !g.is("CORS for good answers only") || r.Method == "OPTIONS" {
		h.Set("Access-Control-Allow-Origin", "*")
	}
	if !g.is("counts slashes") {
		r.URL.Path = regexp.MustCompile("/+").ReplaceAllString(r.URL.Path, "/")
	}
	path, ours := strings.CutPrefix(r.URL.Path, "/apisix/admin")
	if ours && path != "/" && r.Method != "PATCH" {
		path = strings.TrimSuffix(path, "/")
	}
	switch {
	case r.Method == "OPTIONS" && !g.is("OPTIONS needs a key"):
		h.Set("Access-Control-Allow-Methods", "POST, GET, PUT, OPTIONS, DELETE, PATCH")
		h.Set("Access-Control-Allow-Headers", "*")
	case r.Method == "HEAD" && path == "" && !g.is("HEAD needs a key"):
	case ours && g.manageWhole(w, r, path, body):
	case !ours || !strings.HasPrefix(path, "/") || !slices.Contains([]string{"GET", "PUT", "POST", "DELETE", "PATCH"}, r.Method) && (r.Method != "HEAD" || !g.is("HEAD is GET")):
		w.Header().Set("Content-Type", "text/html")
		if g.is("words of its own outside") {
			w.Header().Set("Content-Type", "text/plain")
		}
		w.WriteHeader(404)
	case g.is("looks at the body first") && !g.readable(w, r, path[1:], body):
	case g.authorised(w, r) && path == "/configs/validate" && r.Method == "POST":
		g.mu.Lock()
		defer g.mu.Unlock()
		g.validateConfigs(w, r, body)
	case g.authorised(w, r) && g.readable(w, r, path[1:], body):
		defer g.cuts.Wait() // before anybody can see that the edit is done
		g.mu.Lock()
		defer g.mu.Unlock()
		before := g.objects[path[1:]]
		g.operate(w, r, path[1:], body)
		g.edited(r, before)
	}
}

// authorised finds the key in the query, in a header or in a cookie.
func (g *reference) authorised(w http.ResponseWriter, r *http.Request) bool {
	keys := []string{r.URL.Query().Get("api_key"), r.Header.Get("X-API-KEY")}
	if c, err := r.Cookie("x_api_key"); err == nil {
		keys = append(keys, c.Value)
	}
	if g.is("knows the header only") {
		keys = keys[1:2]
	}
	if g.is("looks at the header first") {
		slices.Reverse(keys[:2])
	}
	keys = slices.DeleteFunc(keys, func(k string) bool { return k == "" })
	description := "wrong apikey"
	switch {
	case len(keys) > 0 && (keys[0] == referenceKey || g.is("believes any key") && slices.Contains(keys, referenceKey)):
		return true
	case len(keys) > 0 && keys[0] == referenceViewer && !g.is("knows no viewers"):
		if r.Method == "GET" || g.is("viewers write") || r.Method == "DELETE" && g.is("viewers delete") {
			return true
		}
		description = "invalid method for role viewer"
	case g.is("needs no key"), g.is("reads without a key") && r.Method == "GET":
		return true
	case len(keys) == 0:
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

var referenceKinds = map[string]string{
	"routes": "route", "services": "service", "upstreams": "upstream", "ssls": "ssl", "schema": "", "consumers": "consumer",
	"plugin_configs": "plugin config", "consumer_groups": "consumer group", "global_rules": "global rule", "plugin_metadata": "plugin_metadata",
	"stream_routes": "stream route", "protos": "proto", "secrets": "secret", "plugins": "",
}

// readable makes the checks that come before the object is looked at.
func (g *reference) readable(w http.ResponseWriter, r *http.Request, path string, body []byte) bool {
	kind, _, _ := strings.Cut(path, "/")
	_, known := referenceKinds[kind]
	if g.is("says v3 early") {
		w.Header().Set("X-API-VERSION", "v3")
	}
	limit := maxAdminBody
	if g.is("takes a smaller body") {
		limit /= 2
	}
	form := r.Header.Get("Content-Type") == "application/x-www-form-urlencoded"
	switch {
	case !known && g.is("unknown is empty"):
		reply(w, 200, object{"list": []any{}, "total": 0})
	case !known && g.is("folds names of resources") && referenceKinds[strings.ToLower(kind)] != "":
		return true
	case !known:
		reply(w, 404, object{"error_msg": "Unsupported resource type: " + kind})
	case g.refusesStreams(r, kind) && !g.is("looks at the mode last"):
		reply(w, 400, object{"error_msg": "stream mode is disabled, can not add stream routes"})
	case len(body) > limit && g.is("resets large bodies"):
		hang, _, _ := w.(http.Hijacker).Hijack()
		_ = hang.Close()
	case len(body) > limit && !g.is("takes any body"):
		reply(w, 400, object{"error_msg": fmt.Sprintf("invalid request body: request size %d is greater than the maximum size %d allowed", len(body), maxAdminBody)})
	case form && g.is("wants its content type"):
		reply(w, 415, object{"error_msg": "want application/json"})
	case g.is("method before body") && (r.Method == "POST" || r.Method == "PATCH") && !g.allowed(r.Method, kind):
		reply(w, 405, object{"error_msg": "not supported `" + r.Method + "` method for " + kindName(kind)})
	case path == "plugins" && r.Method != "GET" && !g.is("reads bodies that nobody takes"):
		return true
	case len(body) > 0 && (!json.Valid(body) || !g.reads(string(body))):
		msg, offset := "invalid request body: bad JSON", " at 1"
		if g.is("hides the position") {
			offset = ""
		}
		answer := object{"error_msg": msg + offset, "req_body": string(body)}
		if g.is("keeps bad bodies") {
			delete(answer, "req_body")
		}
		reply(w, 400, answer)
	case g.refusesStreams(r, kind):
		reply(w, 400, object{"error_msg": "stream mode is disabled, can not add stream routes"})
	default:
		return true
	}
	return false
}

// refusesStreams says whether a request is for routes that no gateway would follow.
func (g *reference) refusesStreams(r *http.Request, kind string) bool {
	return g.streamless && kind == "stream_routes" && !g.is("takes routes of connections") && (r.Method != "GET" || !g.is("lists routes of connections"))
}

var largeNumber = regexp.MustCompile(`([0-9][eE]\+?)400`)

// half is an escape of half a pair, once those of backslashes and of whole pairs are gone.
var half, whole = regexp.MustCompile(`\\u[dD][89a-fA-F]`), regexp.MustCompile(`\\\\|\\u[dD][89abAB]..\\u[dD][c-fC-F]..`)

// reads tells whether a data plane reads the text, which is JSON.
func (g *reference) reads(body string) bool {
	deepest, depth := 0, 0
	for _, c := range body { // in strings they are few
		switch c {
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
		deepest = max(deepest, depth)
	}
	if !g.is("reads no pairs") {
		body = whole.ReplaceAllString(body, "")
	}
	return (g.is("reads halves of pairs") || !half.MatchString(body)) && (deepest <= 1000 || g.is("reads any depth")) && (deepest <= 10 || !g.is("reads ten levels"))
}

// operate carries the request out. g.mu is held, unless a bug lets go of it.
func (g *reference) operate(w http.ResponseWriter, r *http.Request, path string, body []byte) {
	kind, id, sub, single, deeper := referencePlace(path)
	path = strings.TrimSuffix(kind+"/"+id, "/")
	if kind == "plugins" || strings.HasPrefix(kind+"/"+id, "schema/plugins") {
		g.plugins(w, r, strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/apisix/admin/"), "schema/"), "plugins"))
		return
	}
	if kind == "schema" && id == "validate" {
		g.schema(w, r, id, sub, body)
		return
	}
	if g.is("method before body") || r.URL.Query().Get("ttl") == "" || g.is("takes any ttl") {
	} else if _, err := strconv.ParseFloat(r.URL.Query().Get("ttl"), 64); err != nil {
		reply(w, 400, object{"error_msg": "invalid argument ttl: should be a number"})
		return
	}
	if !g.is("looks at wait after the write") && !g.waits(w, r) {
		return
	}
	w.Header().Set("X-API-VERSION", "v3")
	g.expire()
	o := g.objects[path]
	if g.is("admin reads late") && r.Method == "GET" && time.Since(g.swapped) < 20*time.Millisecond && g.old != nil {
		o = g.old[path]
	}
	if !g.matches(w, r, o) {
		return
	}
	if g.is("knows no services") && kind == "services" {
		reply(w, 404, object{"error_msg": "not found"})
		return
	}
	switch {
	case kind == "schema":
		g.schema(w, r, id, sub, body)
	case (r.Method == "POST" || r.Method == "PATCH") && !g.allowed(r.Method, kind):
		reply(w, 405, object{"error_msg": "not supported `" + r.Method + "` method for " + kindName(kind)})
	case r.Method == "POST":
		g.post(w, r, kind, id, body)
	case r.Method == "PUT":
		g.put(w, r, kind, id, body)
	case !single && r.Method != "GET":
		reply(w, 400, object{"error_msg": "missing " + kindName(kind) + " id"})
	case r.Method == "PATCH":
		var at *string
		if deeper {
			at = &sub
		}
		g.patch(w, r, kind, id, at, body, o)
	case !single:
		g.list(w, r, kind)
	case o == nil && r.Method == "DELETE" && g.ownerless(kind) && !g.is("gone is 404"):
		reply(w, 200, object{"deleted": "0", "key": "/apisix/" + path})
	case o == nil && g.is("missing is empty"):
		reply(w, 200, object{})
	case o == nil:
		reply(w, 404, object{"message": "Key not found"})
	case r.Method == "GET":
		reply(w, 200, g.item(kind, path, o))
	case r.Method == "DELETE":
		g.delete(w, r, path, kind, id)
	}
	if g.is("ignores deletes") && r.Method == "DELETE" && o != nil {
		// The Admin API is fine; the data plane keeps what it knew.
		g.objects["routes/kept-"+id] = o
	}
	if g.is("a deleted route leaves a hole") && r.Method == "DELETE" && o != nil {
		hole := *o
		hole.hole = true
		g.objects["routes/hole-"+id] = &hole
	}
}

// matches compares If-Match, and refuses the request when it differs.
func (g *reference) matches(w http.ResponseWriter, r *http.Request, o *stored) bool {
	m := r.Header.Get("If-Match")
	if m == "" || g.is("ignores If-Match") || r.Method != "PUT" && r.Method != "DELETE" {
		return true
	}
	have := int64(0)
	if o != nil {
		have = o.modified
	}
	if want, err := strconv.ParseInt(m, 10, 64); err != nil || want != have {
		reply(w, 412, object{"error_msg": "revision differs"})
		return false
	}
	if g.is("compares before it writes") {
		g.breathe()
	}
	return true
}

// breathe lets others in between two steps that should be one.
func (g *reference) breathe() {
	g.mu.Unlock()
	<-time.After(2 * time.Millisecond)
	g.mu.Lock()
}

// expire removes what has outlived its ttl.
func (g *reference) expire() {
	for path, o := range g.objects {
		if end, ok := g.ends[o]; ok && time.Now().After(end) && !g.is("ignores ttl") {
			delete(g.objects, path)
		}
	}
}

// begin is a new revision.
func (g *reference) begin(w http.ResponseWriter) {
	g.rev++
	g.old, g.swapped = clone(g.objects), time.Now()
	w.Header().Set("X-Unilb-Revision", fmt.Sprint(g.rev))
}

func (g *reference) delete(w http.ResponseWriter, r *http.Request, path, kind, id string) {
	if refusal := g.user(kind, id); refusal != "" && r.URL.Query().Get("force") != "true" && !g.is("deletes what is used") && (!g.is("any force will do") || !r.URL.Query().Has("force")) {
		reply(w, 400, object{"error_msg": refusal})
		return
	}
	if g.is("looks before it deletes") {
		g.breathe()
	}
	g.begin(w)
	if !g.is("deletes nothing") {
		delete(g.objects, path)
		g.takeAlong(path)
	}
	if g.is("deletes users, too") {
		for p, o := range g.objects {
			if o.value["upstream_id"] == id || o.value["service_id"] == id {
				delete(g.objects, p)
			}
		}
	}
	deleted := any("1")
	if g.is("deleted is a number") {
		deleted = 1
	}
	answer := object{"deleted": deleted, "key": "/apisix/" + path}
	g.tellApplied(w, r, answer)
	reply(w, 200, answer)
}

var legalID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// idText is an id of a body as text, empty when it is none.
// idOf is the id in an object.
func (g *reference) idOf(v object) string {
	if f, ok := v["id"].(float64); ok && g.is("rounds ids") {
		return idText(math.Trunc(f))
	}
	return idText(v["id"])
}

func idText(v any) string {
	switch t := v.(type) {
	case string:
		return t
	case float64:
		if t >= 1 && t == float64(int64(t)) {
			return strconv.FormatInt(int64(t), 10)
		}
	}
	return ""
}
