package admin_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/admin"
	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/history"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/etcdtest"
)

const key = "edd1c9f034335f136f87ad84b625c8f1"

// api is an Admin API over a real etcd, with a clock that the test sets.
type api struct {
	t    *testing.T
	url  string
	st   *store.Store
	etcd *etcdtest.Server
	mu   sync.Mutex
	now  time.Time
}

// newAPI starts an Admin API with everything on but what is named.
func newAPI(t *testing.T, off ...string) *api {
	t.Helper()
	return newAPIWith(t, func(o *admin.Options) { o.Stream = !slices.Contains(off, "stream") })
}

// newAPIWith starts an Admin API with other options.
func newAPIWith(t *testing.T, set func(*admin.Options)) *api {
	t.Helper()
	a := &api{t: t, etcd: etcdtest.Start(t), now: time.Unix(1000, 0)}
	a.start(set)
	return a
}

// start serves the API over the etcd that there is.
func (a *api) start(set func(*admin.Options)) {
	a.t.Helper()
	ring, _, err := apisix.ParseKeyring("")
	if err != nil {
		a.t.Fatal(err)
	}
	a.st, err = store.Open(store.Options{Endpoints: []string{a.etcd.Endpoint()}})
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { _ = a.st.Close() })
	o := admin.Options{
		Store: &history.Store{Store: a.st, Objects: "/apisix"}, // as l7admin has it
		Keys:  []admin.Key{{Secret: key, Role: admin.Admin, Name: "operator"}, {Secret: "view", Name: "viewer"}},

		Keyring: ring,
		Now:     func() time.Time { a.mu.Lock(); defer a.mu.Unlock(); return a.now },
	}
	set(&o)
	h, err := admin.New(o)
	if err != nil {
		a.t.Fatal(err)
	}
	if err := h.InitDirectories(a.t.Context()); err != nil {
		a.t.Fatal(err)
	}
	s := httptest.NewServer(h)
	a.t.Cleanup(s.Close)
	a.url = s.URL
}

func (a *api) at(unix int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now = time.Unix(unix, 0)
}

type reply struct {
	code   int
	header http.Header
	raw    string
	body   map[string]any
}

// do sends "METHOD /path" with a body and headers as pairs.
func (a *api) do(line, body string, headers ...string) reply {
	a.t.Helper()
	method, path, _ := strings.Cut(line, " ")
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("X-API-KEY", key)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	out := reply{code: resp.StatusCode, header: resp.Header, raw: string(raw)}
	_ = json.Unmarshal(raw, &out.body) // not every answer is JSON
	return out
}

// call is do below /apisix/admin.
func (a *api) call(line, body string, headers ...string) reply {
	a.t.Helper()
	method, path, _ := strings.Cut(line, " ")
	return a.do(method+" /apisix/admin"+path, body, headers...)
}

func (a *api) must(code int, line, body string, headers ...string) reply {
	a.t.Helper()
	r := a.call(line, body, headers...)
	if r.code != code {
		a.t.Fatalf("%s %s: got %d %s, want %d", line, body, r.code, r.raw, code)
	}
	return r
}

func want(t *testing.T, got any, wantJSON string) {
	t.Helper()
	var w any
	if err := json.Unmarshal([]byte(wantJSON), &w); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, w) {
		b, _ := json.Marshal(got)
		t.Fatalf("got  %s\nwant %s", b, wantJSON)
	}
}

func TestEnvelope(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.must(201, "PUT /routes/1", `{"uri":"/a","plugins":{},"id":1}`)
	want(t, any(r.body), `{"key":"/apisix/routes/1","value":{"id":"1","uri":"/a","plugins":{},"create_time":1000,"update_time":1000}}`)
	if !strings.HasSuffix(r.raw, "}\n") || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("answer is %q as %q", r.raw, r.header.Get("Content-Type"))
	}
	created := r.header.Get("X-Unilb-Revision")

	a.at(2000)
	r = a.must(200, "PUT /routes/1", `{"uri":"/b","plugins":{}}`)
	want(t, any(r.body), `{"key":"/apisix/routes/1","value":{"id":"1","uri":"/b","plugins":{},"create_time":1000,"update_time":2000}}`)
	modified := r.header.Get("X-Unilb-Revision")

	item := fmt.Sprintf(`{"key":"/apisix/routes/1","value":{"id":"1","uri":"/b","plugins":{},"create_time":1000,"update_time":2000},
		"createdIndex":%s,"modifiedIndex":%s}`, created, modified)
	want(t, any(a.must(200, "GET /routes/1", "").body), item)
	want(t, any(a.must(200, "GET /routes", "").body), `{"list":[`+item+`],"total":1}`)
	want(t, any(a.must(200, "GET /services", "").body), `{"list":[],"total":0}`)

	r = a.must(200, "DELETE /routes/1", "")
	want(t, any(r.body), `{"deleted":"1","key":"/apisix/routes/1"}`)
	if rev := r.header.Get("X-Unilb-Revision"); rev <= modified && len(rev) <= len(modified) {
		t.Errorf("delete has revision %q, want one after %s", rev, modified)
	}
	for _, line := range []string{"GET /routes/1", "DELETE /routes/1", "GET /routes/none"} {
		want(t, any(a.must(404, line, "").body), `{"message":"Key not found"}`)
	}
	want(t, any(a.must(404, "PATCH /routes/1", `{"uri":"/b"}`).body), `{"message":"Key not found"}`)
}

func TestPostChoosesTwentyDigits(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	seen := map[string]bool{}
	for range 3 {
		r := a.must(201, "POST /upstreams", `{"nodes":{}}`)
		id, _ := r.body["value"].(map[string]any)["id"].(string)
		n, err := strconv.ParseInt(id, 10, 64)
		if len(id) != 20 || err != nil || n == 0 || seen[id] {
			t.Fatalf("id is %q", id)
		}
		if r.body["key"] != "/apisix/upstreams/"+id {
			t.Errorf("key is %v", r.body["key"])
		}
		seen[id] = true
		a.must(200, "GET /upstreams/"+id, "")
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.must(201, "PUT /upstreams/1", `{"nodes":{"a:80":1}}`)
	none := `object matches none of the required: ["plugins","uri"] or ["upstream","uri"] or ["upstream_id","uri"] or ["service_id","uri"] or ` +
		`["plugins","uris"] or ["upstream","uris"] or ["upstream_id","uris"] or ["service_id","uris"] or ["script","uri"] or ["script","uris"]`
	for _, tc := range []struct {
		line, body string
		code       int
		msg        string
	}{
		{"GET /nothing", "", 404, "Unsupported resource type: nothing"},
		{"PUT /nothing/1", "{", 404, "Unsupported resource type: nothing"},
		{"PUT /routes/1", "", 400, "missing configurations"},
		{"POST /routes", "", 400, "missing configurations"},
		{"PUT /routes", `{"uri":"/","upstream_id":1}`, 400, "missing route id"},
		{"PUT /upstreams", `{}`, 400, "missing upstream id"},
		{"PUT /routes/1", `{"id":2,"uri":"/","upstream_id":1}`, 400, "wrong route id"},
		{"POST /routes", `{"id":2,"uri":"/","upstream_id":1}`, 400, "wrong route id, do not need it"},
		{"POST /routes/1", `{"uri":"/","upstream_id":1}`, 400, "wrong route id, do not need it"},
		{"DELETE /services", "", 400, "missing service id"},
		{"PATCH /services", "{}", 400, "missing service id"},
		{"PATCH /upstreams/1", "", 400, "missing new configuration"},
		{"PATCH /upstreams/1", "[]", 400, "invalid configuration"},
		{"PUT /routes/1?ttl=abc", `{"uri":"/","upstream_id":1}`, 400, "invalid argument ttl: should be a number"},
		{"PUT /routes/1?ttl=", `{"uri":"/","upstream_id":1}`, 400, "invalid argument ttl: should be a number"},
		{"GET /routes?ttl=", "", 400, "invalid argument ttl: should be a number"},
		{"PUT /routes/..", `{"uri":"/","upstream_id":1}`, 404, "Unsupported resource type: "},
		{"DELETE /routes/../nothing/1", "", 404, "Unsupported resource type: nothing"},
		{"PUT /routes/1", `{"uri":"/","upstream_id":1,"create_time":1}`, 400, "the property is forbidden:  create_time"},
		{"PUT /routes/1", `{"uri":"/","upstream":{"nodes":{},"update_time":1}}`, 400, "the property is forbidden:  upstream.update_time"},
		{"PUT /routes/1", `{"uri":"/"}`, 400, "invalid configuration: " + none},
		{"PUT /routes/1", `{"uri":"/","upstream_id":1,"x":1}`, 400, "invalid configuration: additional properties forbidden, found x"},
		{"PUT /routes/a%20b", `{"uri":"/","upstream_id":1}`, 400, `invalid configuration: property "id" validation failed: object matches none of the required`},
		{"PUT /routes", `{"id":"a/b","uri":"/","upstream_id":1}`, 400, `invalid configuration: property "id" validation failed: object matches none of the required`},
		{"PUT /routes/1", `"text"`, 400, "invalid configuration: wrong type: expected object, got string"},
		{"PUT /routes/1", `[1]`, 400, "invalid configuration: wrong type: expected object, got table"},
		{"PUT /routes/1", `{"uri":"/","host":"a","hosts":["b"],"upstream_id":1}`, 400, "only one of host or hosts is allowed"},
		{"PUT /routes/1", `{"uri":"/","plugins":{"no":{}}}`, 400, "unknown plugin [no]"},
		{"PUT /routes/1", `{"uri":"/","plugins":{"mocking":[1]}}`, 400, "invalid plugin conf [1] for plugin [mocking]"},
		{"PUT /routes/1", `{"uri":"/","plugins":{"no":1}}`, 400, "invalid plugin conf 1 for plugin [no]"},
		{"PUT /routes/1", `{"uri":"/","plugins":{"mocking":{"_meta":{"filter":["a"]}}}}`, 400, "failed to validate the 'vars' expression: rule should be wrapped inside brackets"},
		{"PUT /routes/1", `{"uri":"/","plugins":{"key-auth":{"header":1}}}`, 400,
			`failed to check the configuration of plugin key-auth err: property "header" validation failed: wrong type: expected string, got number`},
		{"PUT /routes/1", `{"uri":"/","upstream_id":"9"}`, 400, "failed to fetch upstream info by upstream id [9], response code: 404"},
		{"PUT /routes/1", `{"uri":"/","service_id":9}`, 400, "failed to fetch service info by service id [9], response code: 404"},
		{"PUT /routes/1", `{"uri":"/","upstream_id":1,"plugin_config_id":"p"}`, 400,
			"failed to fetch plugin config info by plugin config id [p], response code: 404"},
		{"PUT /services/1", `{"upstream_id":"9"}`, 400, "failed to fetch upstream info by upstream id [9], response code: 404"},
		{"GET /routes/1/uri", "", 404, "not found"},
	} {
		r := a.call(tc.line, tc.body)
		if r.code != tc.code || r.body["error_msg"] != tc.msg {
			t.Errorf("%s %s:\ngot  %d %s\nwant %d %s", tc.line, tc.body, r.code, r.raw, tc.code, tc.msg)
		}
	}
	if r := a.call("GET /routes", ""); r.body["total"] != 0.0 {
		t.Errorf("a refused write left something: %s", r.raw)
	}
	a.must(201, "PUT /routes/empty", `{"uri":"/","plugins":{"key-auth":[]}}`)
	a.must(201, "PUT /routes/1", `{"uri":"/","plugins":{"key-auth":{"header":1,"_meta":{"disable":true}}}}`)
}

func TestBadBody(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.must(400, "PUT /routes/1", `{"uri":`)
	if r.body["error_msg"] != "invalid request body: Expected value but found T_END at character 8" || r.body["req_body"] != `{"uri":` {
		t.Errorf("got %s", r.raw)
	}
	for body, where := range map[string]string{`{"uri":}`: " at character 8", `{}  x`: " at character 5", `nul`: " at character 1"} {
		msg, _ := a.must(400, "PUT /routes/1", body).body["error_msg"].(string)
		if !strings.HasPrefix(msg, "invalid request body: ") || !strings.HasSuffix(msg, where) {
			t.Errorf("%s: got %q, want it to end with%s", body, msg, where)
		}
	}
	if r.header.Get("X-API-VERSION") != "" {
		t.Error("an early error has X-API-VERSION")
	}
	// Scripts put texts of several lines between two quotes.
	const bare = "{\n\"uri\":\"/\",\"plugins\":{},\"desc\":\"a\n\tb\"\n}"
	want(t, a.must(201, "PUT /routes/bare", bare).body["value"], `{"id":"bare","uri":"/","plugins":{},"desc":"a\n\tb","create_time":1000,"update_time":1000}`)
	if s := a.stored("/apisix/routes/bare"); !json.Valid([]byte(s)) {
		t.Errorf("stored %q, which is no JSON", s)
	}
	a.must(200, "PATCH /routes/bare/desc", "\"c\r\nd\"")
	a.must(200, "POST /configs/validate", `{"routes":[`+bare+`]}`)
	a.must(400, "PUT /routes/bare", "{\"uri\":\"/\x00\",\"plugins\":{}}")
	big := `{"uri":"/` + strings.Repeat("a", 1572864) + `"}`
	r = a.must(400, "PUT /routes/1", big)
	want := fmt.Sprintf("invalid request body: request size %d is greater than the maximum size 1572864 allowed", len(big))
	if r.body["error_msg"] != want {
		t.Errorf("got %s, want %s", r.raw, want)
	}
	// The largest body that is allowed also fits into etcd.
	head := `{"uri":"/","plugins":{"mocking":{"x":"`
	full := head + strings.Repeat("a", 1572864-len(head)-4) + `"}}}`
	_ = a.call("PUT /routes/1", full) // etcd's own limit is the deployment's; it must not hang
}

// A client may send all of its body before it looks for an answer.
func TestRefusalOfALargeBodyReachesItsSender(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c, err := net.Dial("tcp", strings.TrimPrefix(a.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const size = 12 << 20 // more than the buffers of two sockets
	head := fmt.Sprintf("PUT /apisix/admin/routes/1 HTTP/1.1\r\nHost: a\r\nX-API-KEY: %s\r\nContent-Length: %d\r\n\r\n", key, size)
	if _, err := c.Write(append([]byte(head), make([]byte, size)...)); err != nil {
		t.Fatalf("send the body: %v", err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("read the answer: %v", err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); resp.StatusCode != 400 || !strings.Contains(string(b), fmt.Sprintf("request size %d is greater", size)) {
		t.Errorf("got %d %s, want 400 with the size %d", resp.StatusCode, b, size)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, tc := range []struct {
		name, line, header, key string
		code                    int
		description             string
	}{
		{"none", "GET /routes", "X-API-KEY", "", 401, "missing apikey"},
		{"wrong", "GET /routes", "X-API-KEY", "x", 401, "wrong apikey"},
		{"wrong key, unknown resource", "GET /nothing", "X-API-KEY", "x", 401, "wrong apikey"},
		{"viewer reads", "GET /routes", "X-API-KEY", "view", 200, ""},
		{"viewer writes", "DELETE /routes/1", "X-API-KEY", "view", 401, "invalid method for role viewer"},
		{"query before header", "GET /routes?api_key=x", "X-API-KEY", key, 401, "wrong apikey"},
		{"query", "GET /routes?api_key=" + key, "X-API-KEY", "", 200, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := a.call(tc.line, "", tc.header, tc.key)
			if r.code != tc.code {
				t.Fatalf("got %d %s, want %d", r.code, r.raw, tc.code)
			}
			if tc.code != 401 {
				return
			}
			want(t, any(r.body), `{"error_msg":"failed to check token","description":"`+tc.description+`"}`)
			if r.header.Get("X-API-VERSION") != "" {
				t.Error("has X-API-VERSION")
			}
		})
	}
	if r := a.call("GET /routes", "", "X-API-KEY", "", "Cookie", "x_api_key="+key); r.code != 200 {
		t.Errorf("cookie: got %d %s", r.code, r.raw)
	}
	if r := a.do("HEAD /apisix/admin", "", "X-API-KEY", ""); r.code != 200 {
		t.Errorf("liveness probe: got %d", r.code)
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, line := range []string{"GET /apisix/admin/routes", "GET /apisix/admin/x", "GET /elsewhere", "OPTIONS /elsewhere", "PUT /apisix/admin/routes/1"} {
		r := a.do(line, "")
		for name, value := range map[string]string{
			"Server": "APISIX/3.18.0", "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "true",
			"Access-Control-Expose-Headers": "*", "Access-Control-Max-Age": "3600",
		} {
			if got := r.header.Get(name); got != value {
				t.Errorf("%s: %s is %q, want %q", line, name, got, value)
			}
		}
	}
	r := a.do("OPTIONS /apisix/admin/routes", "", "X-API-KEY", "")
	if r.code != 200 || r.header.Get("Access-Control-Allow-Methods") != "POST, GET, PUT, OPTIONS, DELETE, PATCH" || r.header.Get("Access-Control-Allow-Headers") != "*" {
		t.Errorf("OPTIONS: got %d %v", r.code, r.header)
	}
	if r := a.do("GET /apisix/admin/routes/1", ""); r.header.Get("X-API-VERSION") != "v3" {
		t.Error("a handler's 404 has no X-API-VERSION")
	}
	if r := a.do("GET /elsewhere", ""); r.code != 404 || !strings.Contains(r.raw, "<html>") {
		t.Errorf("outside: got %d %s", r.code, r.raw)
	}
}

// APISIX sets it before it knows what it will answer.
func TestAnswersAreCalledJSONWhateverTheyAre(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for line, code := range map[string]int{
		"GET /routes": 200, "GET /routes/none": 404, "GET /none": 404, "GET /routes?page=1&page_size=1": 400, "GET /plugins/list?subsystem=x": 400,
		"PUT /plugins/reload": 200, "POST /schema/validate/services {}": 200, "POST /routes": 400,
	} {
		line, body, _ := strings.Cut(line, " {")
		if body != "" {
			body = "{" + body
		}
		r := a.must(code, line, body)
		if got := r.header.Get("Content-Type"); got != "application/json" {
			t.Errorf("%s: Content-Type is %q", line, got)
		}
	}
	if r := a.do("HEAD /apisix/admin", ""); r.header.Get("Content-Type") != "application/json" {
		t.Errorf("HEAD: Content-Type is %q", r.header.Get("Content-Type"))
	}
	if r := a.do("GET /elsewhere", ""); !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
		t.Errorf("page: Content-Type is %q", r.header.Get("Content-Type"))
	}
}

func TestIfMatch(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	body := `{"nodes":{"a:80":1}}`
	a.must(412, "PUT /upstreams/1", body, "If-Match", "5")
	first := a.must(201, "PUT /upstreams/1", body, "If-Match", "0").header.Get("X-Unilb-Revision")
	if r := a.must(412, "PUT /upstreams/1", body, "If-Match", "0"); r.body["error_msg"] == nil {
		t.Errorf("412 without error_msg: %s", r.raw)
	}
	second := a.must(200, "PUT /upstreams/1", body, "If-Match", first).header.Get("X-Unilb-Revision")
	a.must(412, "PUT /upstreams/1", body, "If-Match", first)
	a.must(412, "DELETE /upstreams/1", "", "If-Match", first)
	a.must(400, "PUT /upstreams/1", body, "If-Match", "abc")
	a.must(200, "DELETE /upstreams/1", "", "If-Match", second)
	a.must(412, "DELETE /upstreams/1", "", "If-Match", second)
}

func TestDeleteOfUsedObjects(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, id := range []string{"u1", "u2", "u3"} {
		a.must(201, "PUT /upstreams/"+id, `{"nodes":{"a:80":1}}`)
	}
	a.must(201, "PUT /services/s1", `{"upstream_id":"u2"}`)
	a.must(201, "PUT /routes/r1", `{"uri":"/","upstream_id":"u1"}`)
	a.must(201, "PUT /routes/r2", `{"uri":"/","service_id":"s1","plugins":{"traffic-split":{"rules":[{"weighted_upstreams":[{"weight":1},{"upstream_id":"u3"}]}]}}}`)
	for line, msg := range map[string]string{
		"DELETE /upstreams/u1": "can not delete this upstream, route [r1] is still using it now",
		"DELETE /upstreams/u2": "can not delete this upstream, service [s1] is still using it now",
		"DELETE /upstreams/u3": "can not delete this upstream, plugin in route [r2] is still using it now",
		"DELETE /services/s1":  "can not delete this service directly, route [r2] is still using it now",
	} {
		if r := a.must(400, line, ""); r.body["error_msg"] != msg {
			t.Errorf("%s: got %s, want %s", line, r.raw, msg)
		}
	}
	a.must(200, "DELETE /upstreams/u1?force=true", "")
	a.must(200, "DELETE /routes/r2", "")
	a.must(200, "DELETE /services/s1", "")
	a.must(200, "DELETE /upstreams/u2", "")
}

// A route must never be left behind with an upstream that is gone, whichever of
// the two writes comes first.
func TestReferenceAndDeleteRace(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for round := range 20 {
		id := fmt.Sprintf("race-%d", round)
		a.must(201, "PUT /upstreams/"+id, `{"nodes":{"a:80":1}}`)
		var route, gone reply
		var wg sync.WaitGroup
		wg.Go(func() { route = a.call("PUT /routes/"+id, `{"uri":"/","upstream_id":"`+id+`"}`) })
		wg.Go(func() { gone = a.call("DELETE /upstreams/"+id, "") })
		wg.Wait()
		if (route.code == 201) == (gone.code == 200) {
			t.Fatalf("round %d: route %d %s, delete %d %s", round, route.code, route.raw, gone.code, gone.raw)
		}
	}
}

func TestConcurrentWritesWithIfMatchLetOneWin(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	rev := a.must(201, "PUT /upstreams/1", `{"nodes":{}}`).header.Get("X-Unilb-Revision")
	codes := make([]int, 8)
	var wg sync.WaitGroup
	for i := range codes {
		wg.Go(func() { codes[i] = a.call("PUT /upstreams/1", `{"nodes":{}}`, "If-Match", rev).code })
	}
	wg.Wait()
	won := 0
	for _, c := range codes {
		if c == 200 {
			won++
		} else if c != 412 {
			t.Errorf("got %d, want 412", c)
		}
	}
	if won != 1 {
		t.Errorf("%d writers won, want 1: %v", won, codes)
	}
}

func TestPatch(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.must(201, "PUT /routes/1", `{"uri":"/a","methods":["GET","PUT"],"upstream":{"nodes":{"a:80":1,"b:80":2},"retries":1}}`)
	a.at(2000)
	r := a.must(200, "PATCH /routes/1", `{"methods":["POST"],"upstream":{"nodes":{"a:80":null,"c:80":3},"retries":null},"status":0}`)
	want(t, any(r.body), `{"key":"/apisix/routes/1","value":{"id":"1","uri":"/a","methods":["POST"],"status":0,
		"upstream":{"nodes":{"b:80":2,"c:80":3}},"create_time":1000,"update_time":2000}}`)
	r = a.must(200, "PATCH /routes/1/upstream/nodes", `{"d:80":1}`)
	want(t, r.body["value"].(map[string]any)["upstream"], `{"nodes":{"d:80":1}}`)
	if r := a.must(400, "PATCH /routes/1/uri/x", `1`); r.body["error_msg"] != "invalid sub-path: /uri" {
		t.Errorf("got %s", r.raw)
	}
	a.must(400, "PATCH /routes/1", `{"uri":null}`)
	r = a.must(200, "PATCH /routes/1/", `{"uri":"/new","plugins":{}}`)
	want(t, r.body["value"], `{"id":"1","uri":"/new","plugins":{},"create_time":2000,"update_time":2000}`)
	a.at(3000)
	r = a.must(200, "PATCH /routes/1", `{"create_time":null,"update_time":null}`)
	want(t, r.body["value"], `{"id":"1","uri":"/new","plugins":{},"create_time":3000,"update_time":3000}`)
	a.at(4000)
	r = a.must(200, "PATCH /routes/./1/upstream", `{"nodes":{},"update_time":5}`)
	want(t, r.body["value"], `{"id":"1","uri":"/new","plugins":{},"upstream":{"nodes":{},"update_time":5},"create_time":3000,"update_time":4000}`)
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.must(201, "PUT /upstreams/1", `{"nodes":{}}`)
	for i := range 25 {
		// Ids fall while creation goes on: order of keys is not order of creation.
		a.must(201, fmt.Sprintf("PUT /routes/%02d", 50-i), fmt.Sprintf(`{"uri":"/%d","name":"n%d","upstream_id":%s,"labels":{"l%d":"x"}}`,
			i, i, []string{"1", `"1"`}[i%2], i%5))
	}
	for query, count := range map[string]int{
		"":                                        25,
		"?name=^n1$":                              1,
		"?name=n1":                                11,
		"?label=l3":                               5,
		"?uri=^/2":                                6,
		"?name=n1&label=l1":                       3,
		"?filter=upstream_id%3D1":                 25,
		"?filter=upstream_id%3D2":                 0,
		"?filter=foo%3D2":                         25,
		"?page=1&page_size=10":                    10,
		"?page=3&page_size=10":                    5,
		"?page=4&page_size=10":                    0,
		"?page=4000000000000&page_size=10":        0,
		"?page=0&page_size=10":                    10,
		"?page=x&page_size=10":                    25,
		"?page=&page_size=10":                     25,
		"?page=1.0&page_size=1e1":                 10,
		"?page=2&page_size=12.5":                  0, // between two objects
		"?page=3&page_size=12.5":                  0,
		"?page=1&page_size=12.5":                  12,
		"?page=%202&page_size=20":                 5,
		"?page=1e30&page_size=10":                 0,
		"?page=99999999999999999999&page_size=10": 0,
		"?name=^n(?!1)":                           14,
		"?uri=^/2;":                               0,
		"?label=l3&page=1&page_size=10":           5,
	} {
		r := a.must(200, "GET /routes"+query, "")
		list, _ := r.body["list"].([]any)
		if len(list) != count {
			t.Errorf("%s: got %d items, want %d", query, len(list), count)
		}
	}
	r := a.must(200, "GET /routes?page=2&page_size=10", "")
	if r.body["total"] != 25.0 {
		t.Errorf("total of a page is %v, want 25", r.body["total"])
	}
	if first := r.body["list"].([]any)[0].(map[string]any)["key"]; first != "/apisix/routes/40" {
		t.Errorf("second page begins with %v, want the eleventh created", first)
	}
	r = a.call("GET /routes?page=1&page_size=9", "")
	if r.code != 400 || r.raw != "page_size must be between 10 and 500" {
		t.Errorf("got %d %q", r.code, r.raw)
	}
}

func TestTTL(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.must(201, "PUT /upstreams/1?ttl=1", `{"nodes":{}}`)
	a.must(201, "PUT /upstreams/2?ttl=1", `{"nodes":{}}`)
	a.must(200, "PUT /upstreams/2", `{"nodes":{}}`)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	gone := false
	_ = a.st.Watch(ctx, "/apisix/upstreams", func(b store.Batch) {
		present := false
		for _, kv := range b.Puts {
			present = present || kv.Key == "/apisix/upstreams/1"
		}
		if b.Reset && !present || len(b.Deletes) > 0 {
			gone = true
			cancel()
		}
	})
	if !gone {
		t.Fatal("the object did not vanish")
	}
	a.must(404, "GET /upstreams/1", "")
	a.must(200, "GET /upstreams/2", "")
}

func TestPlaceholders(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	kvs, _, err := a.st.List(t.Context(), "/apisix")
	if err != nil {
		t.Fatal(err)
	}
	kvs = slices.DeleteFunc(kvs, func(kv store.KV) bool { return kv.Key == "/apisix/plugins" }) // a list
	if len(kvs) != 13 {
		t.Errorf("%d placeholders, want 13", len(kvs))
	}
	for _, kv := range kvs {
		if !strings.HasSuffix(kv.Key, "/") || string(kv.Value) != "init_dir" || kv.Create != kv.Mod {
			t.Errorf("placeholder %s = %s", kv.Key, kv.Value)
		}
	}
}

func TestStoredValueIsCompactAndWithoutDefaults(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.must(201, "PUT /routes/1", `{ "uri" : "/<a>" , "priority" : 10000000000, "upstream": { "nodes": {"b:1": 1, "a:1": 1} } }`)
	kv, _, _, err := a.st.Get(t.Context(), "/apisix/routes/1")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"create_time":1000,"id":"1","priority":10000000000,"update_time":1000,"upstream":{"nodes":{"b:1":1,"a:1":1}},"uri":"/<a>"}`
	if string(kv.Value) != want {
		t.Errorf("stored %s\nwant   %s", kv.Value, want)
	}
}

func TestEtcdAway(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.etcd.Down()
	r := a.call("GET /routes", "")
	if r.code != 503 || r.body["error_msg"] == nil {
		t.Errorf("got %d %s, want 503 with error_msg", r.code, r.raw)
	}
	a.etcd.Up()
	a.must(201, "PUT /upstreams/1", `{"nodes":{}}`)
}
