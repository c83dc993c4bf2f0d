package config

import (
	"fmt"
	"strings"
	"testing"
)

// The tree of an object is used again once its route is made: nothing of the route may
// lie in it.
func TestARouteKeepsNothingOfItsTree(t *testing.T) {
	compile := func(n int) *Route {
		t.Helper()
		c := put(Routes, fmt.Sprint(n), fmt.Sprintf(`{"uris":["/%[1]d","/b%[1]d"],"hosts":["h%[1]d.example"],"methods":["GET"],"remote_addrs":["10.0.0.%[1]d"],"priority":%[1]d,
			"labels":{"a":"%[1]d"},"timeout":{"connect":%[1]d,"send":1,"read":1},"vars":[["http_x","in",["v%[1]d",{"a":%[1]d}]],["http_x","==","v%[1]d"]],
			"plugins":{"proxy-rewrite":{"uri":"/x%[1]d","headers":{"set":{"a":"%[1]d"}}},"unknown":{"n":{"m":%[1]d},"_meta":{"priority":%[1]d}}},
			"upstream":{"nodes":[{"host":"10.0.0.%[1]d","port":80,"weight":%[1]d,"metadata":{"unilb":{"zone":"z%[1]d"}}}],"keepalive_pool":{"size":%[1]d},
				"checks":{"active":{"http_path":"/c%[1]d","req_headers":["A: %[1]d"],"healthy":{"interval":%[1]d,"http_statuses":[20%[1]d]}},"passive":{"unhealthy":{"http_failures":%[1]d}}},
				"tls":{"verify":true},"pass_host":"rewrite","upstream_host":"u%[1]d"}}`, n))
		r, err := compileRoute(&c, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	text := func(r *Route) string {
		u := r.Inline
		v := fields{"http_x": "v1"}
		return fmt.Sprintf("%q %v %+v %+v %+v %+v %+v %+v %+v %v", []any{r.Paths(), r.HostNames(), r.rule.Methods, r.ID}, r.rule.Remotes, *r.timeouts, []string{string(r.plugins[0].conf), string(r.plugins[1].conf)},
			u.Targets, u.Members, *u.Checks.Active, *u.Checks.Passive, *u.TLS, []any{u.PassHost, u.UpstreamHost, r.Priority(), r.rule.Vars.Eval(v), r.rule.Vars.Eval(fields{})})
	}
	first := compile(1)
	want := text(first)
	for _, part := range []string{"/b1", "h1.example", "10.0.0.1/32", "/x1", `"m":1`, "z1", "/c1", "A: 1", "Interval:1", "[201]", "HTTPFailures:1", "u1 1 true false", "IdleConns:1"} {
		if !strings.Contains(want, part) {
			t.Errorf("%s is lost of %s", part, want)
		}
	}
	for n := range 8 {
		compile(n + 2)
	}
	if got := text(first); got != want {
		t.Errorf("after others: %s\nwant %s", got, want)
	}
}

type fields map[string]string

func (v fields) Var(name string) (string, bool) { s, ok := v[name]; return s, ok }
func (v fields) Value(name string) (any, bool)  { return v.Var(name) }
