package admin_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

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
		{"PUT /routes/1", `{"id":1.5,"uri":"/","upstream_id":1}`, 400, "wrong route id"},
		{"PUT /routes/9223372036854775807", `{"id":9223372036854775808,"uri":"/","upstream_id":1}`, 400, "wrong route id"},
		{"POST /routes", `{"id":2,"uri":"/","upstream_id":1}`, 400, "wrong route id, do not need it"},
		{"POST /routes/1", `{"uri":"/","upstream_id":1}`, 400, "wrong route id, do not need it"},
		{"DELETE /services", "", 400, "missing service id"},
		{"PATCH /services", "{}", 400, "missing service id"},
		{"PATCH /upstreams/1", "", 400, "missing new configuration"},
		{"PATCH /upstreams/1", "[]", 400, "invalid configuration"},
		{"PUT /routes/1?ttl=abc", `{"uri":"/","upstream_id":1}`, 400, "invalid argument ttl: should be a number"},
		{"PUT /routes/1?ttl=", `{"uri":"/","upstream_id":1}`, 400, "invalid argument ttl: should be a number"},
		{"GET /routes?ttl=", "", 400, "invalid argument ttl: should be a number"},
		{"PUT /routes/1?ttl=0.5", `{"uri":"/","upstream_id":1}`, 400, "invalid argument ttl: should be at least 1"},
		{"PUT /routes/1?ttl=1e10", `{"uri":"/","upstream_id":1}`, 400, "invalid argument ttl: should be at most 1000000000"},
		{"PUT /routes/1", `{"uri":"/","upstream_id":1,"desc":"\ud83d"}`, 400, "invalid request body: Expected value but found invalid unicode escape code at character 36"},
		{"PUT /routes/1", `{"uri":"/","upstream_id":1,"timeout":{"connect":1e400,"send":1,"read":1}}`, 400, "invalid request body: Expected value but found invalid number at character 49"},
		{"PUT /routes/1", `{"uri":"/","plugins":{"mocking":` + strings.Repeat("[", 998) + strings.Repeat("]", 998) + `}}`, 400,
			"invalid plugin conf " + strings.Repeat("[", 998) + strings.Repeat("]", 998) + " for plugin [mocking]"},
		{"PUT /routes/1", `{"uri":"/","plugins":{"mocking":` + strings.Repeat("[", 999) + strings.Repeat("]", 999) + `}}`, 400,
			"invalid request body: Found too many nested data structures (1001) at character 1031"},
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
