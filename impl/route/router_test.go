package route

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/expr"
)

func rule(id, host, path string) *Rule[string] {
	r := &Rule[string]{ID: id, Paths: []string{path}}
	if host != "" {
		r.Hosts = []string{host}
	}
	return r
}

func (r *Rule[T]) at(priority int64) *Rule[T] { r.Priority = priority; return r }

func vars(t *testing.T, r *Rule[string], v string) *Rule[string] {
	t.Helper()
	var rule []any
	d := json.NewDecoder(strings.NewReader(v))
	d.UseNumber()
	err := d.Decode(&rule)
	if err == nil {
		r.Vars, r.Listener, err = expr.Compile(rule)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEachRouterHasItsOrder(t *testing.T) {
	withMethod := func(r *Rule[string]) *Rule[string] { r.Methods = []string{"POST"}; return r }
	for _, tc := range []struct {
		name                  string
		rules                 []*Rule[string]
		host, path            string
		byHost, byURI, params string // the winner of each router
	}{
		{"an exact host beats any path, any priority and any wildcard of the host router only",
			[]*Rule[string]{rule("exact", "a.example", "/*"), rule("wild", "*.example", "/p/x").at(9), rule("none", "", "/p/x").at(10)},
			"a.example", "/p/x", "exact", "none", "none"},
		{"without priorities the older wins in the uri routers",
			[]*Rule[string]{rule("none", "", "/p"), rule("exact", "a.example", "/p")}, "a.example", "/p", "exact", "none", "none"},
		{"a longer wildcard beats a shorter one in the host router only",
			[]*Rule[string]{rule("short", "*.example", "/"), rule("long", "*.b.example", "/")}, "a.b.example", "/", "long", "short", "short"},
		{"a host without a match falls through to the wildcard, then to none",
			[]*Rule[string]{rule("exact", "a.example", "/x"), rule("wild", "*.example", "/y"), rule("none", "", "/*")}, "a.example", "/z", "none", "none", "none"},
		{"a wildcard is any depth, and not the name itself", []*Rule[string]{rule("wild", "*.example", "/")}, "x.y.example", "/", "wild", "wild", "wild"},
		{"not the name itself", []*Rule[string]{rule("wild", "*.example", "/")}, "example", "/", "-", "-", "-"},
		{"without a dot it is", []*Rule[string]{rule("wild", "*example", "/")}, "example", "/", "wild", "wild", "wild"},
		{"without a dot also within a label", []*Rule[string]{rule("wild", "*oo.example", "/")}, "foo.example", "/", "wild", "wild", "wild"},
		{"a star alone is everybody", []*Rule[string]{rule("star", "*", "/")}, "", "/", "star", "star", "star"},
		{"names know no case", []*Rule[string]{rule("a", "A.Example", "/")}, "a.example", "/", "a", "a", "a"},
		{"a host with a port is compared to what was sent, by the uri routers", []*Rule[string]{rule("port", "a.example:8080", "/")}, "a.example:8080", "/", "-", "port", "port"},
		{"and to nothing else", []*Rule[string]{rule("port", "a.example:8080", "/")}, "a.example:8081", "/", "-", "-", "-"},
		{"an exact path beats a prefix of any priority", []*Rule[string]{rule("prefix", "", "/p*").at(100), rule("exact", "", "/p")}, "", "/p", "exact", "exact", "exact"},
		{"a longer prefix beats a shorter one of any priority", []*Rule[string]{rule("short", "", "/p/*").at(100), rule("long", "", "/p/q/*")}, "", "/p/q/r", "long", "long", "long"},
		{"inside one path the priority decides", []*Rule[string]{rule("low", "", "/p"), rule("high", "", "/p").at(1)}, "", "/p", "high", "high", "high"},
		{"of one prefix the longer path is first", []*Rule[string]{rule("short", "", "/p/*"), rule("long", "", "/p/*/q")}, "", "/p/x/q", "long", "long", "long"},
		{"but after the priority", []*Rule[string]{rule("short", "", "/p/*").at(1), rule("long", "", "/p/*/q")}, "", "/p/x/q", "short", "short", "short"},
		{"of equals the older", []*Rule[string]{rule("older", "", "/p"), rule("newer", "", "/p")}, "", "/p", "older", "older", "older"},
		{"conditions that fail: exact to prefix", []*Rule[string]{withMethod(rule("post", "", "/p/q")), rule("prefix", "", "/p/*")}, "", "/p/q", "prefix", "prefix", "prefix"},
		{"prefix to shorter prefix", []*Rule[string]{withMethod(rule("post", "", "/p/q/*")), rule("prefix", "", "/p/*")}, "", "/p/q/r", "prefix", "prefix", "prefix"},
		{"/foo* is the text and what begins with it", []*Rule[string]{rule("p", "", "/foo*")}, "", "/foobar/x", "p", "p", "p"},
		{"/foo/* is not /foo", []*Rule[string]{rule("p", "", "/foo/*")}, "", "/foo", "-", "-", "-"},
		{"a star inside is any text", []*Rule[string]{rule("p", "", "/a/*/c")}, "", "/a/b/b\n/c", "p", "p", "p"},
		{"that ends somewhere", []*Rule[string]{rule("p", "", "/a/*/c")}, "", "/a/b/cd", "-", "-", "-"},
		{"what follows it in its segment is a name", []*Rule[string]{rule("p", "", "/*.html")}, "", "/a/b", "p", "p", "p"},
		{"a parameter is text, but for its router", []*Rule[string]{rule("p", "", "/user/:id")}, "", "/user/7", "-", "-", "p"},
		{"as text", []*Rule[string]{rule("p", "", "/user/:id")}, "", "/user/:id", "p", "p", "p"},
		{"a parameter is one segment", []*Rule[string]{rule("p", "", "/user/:id")}, "", "/user/7/x", "-", "-", "-"},
		{"that is not empty", []*Rule[string]{rule("p", "", "/user/:id/x")}, "", "/user//x", "-", "-", "-"},
		{"an exact path beats one with a parameter", []*Rule[string]{rule("param", "", "/user/:id").at(5), rule("exact", "", "/user/me")}, "", "/user/me", "exact", "exact", "exact"},
		{"a path with a parameter is the prefix before it", []*Rule[string]{rule("param", "", "/user/:id").at(5), rule("longer", "", "/user/me*")}, "", "/user/me", "longer", "longer", "longer"},
		{"a parameter and a star", []*Rule[string]{rule("p", "", "/user/:id/*")}, "", "/user/7/a/b", "-", "-", "p"},
		{"a star before a parameter", []*Rule[string]{rule("p", "", "/*/user/:id")}, "", "/a/b/user/7", "-", "-", "p"},
	} {
		for router, want := range map[Router]string{HostURI: tc.byHost, URI: tc.byURI, URIWithParameter: tc.params} {
			tab := New[string](router)
			for i, r := range tc.rules {
				copied := *r
				copied.Age = int64(i + 1)
				var err error
				if tab, err = tab.Replace(nil, &copied); err != nil {
					t.Fatal(err)
				}
			}
			q := Query{Local: netip.MustParseAddrPort("203.0.113.10:80"), Method: "GET", Host: tc.host, Authority: tc.host, Path: tc.path, Vars: noVars{}}
			if host, _, ok := cutPort(tc.host); ok {
				q.Host = host
			}
			got := "-"
			if r, _ := tab.Match(&q); r != nil {
				got = r.ID
			}
			if got != want {
				t.Errorf("%s, %s: %s%s = %s, want %s", tc.name, router, tc.host, tc.path, got, want)
			}
		}
	}
}

func cutPort(host string) (name, port string, ok bool) {
	for i := range host {
		if host[i] == ':' {
			return host[:i], host[i+1:], true
		}
	}
	return host, "", false
}

func TestPartsOfAPathHaveNames(t *testing.T) {
	for _, tc := range []struct {
		router     Router
		path, asks string
		name, want string // "-": it has no such part
	}{
		{URIWithParameter, "/user/:id", "/user/7", "id", "7"},
		{URIWithParameter, "/user/:id", "/user/7", "user", "-"},
		{URIWithParameter, "/:a/:b", "/x/y.z", "b", "y.z"},
		{URIWithParameter, "/:a/*rest", "/x/y/z", "rest", "y/z"},
		{URIWithParameter, "/:a/*", "/x/y/z", ":ext", "y/z"},
		{URIWithParameter, "/user/*", "/user/7", ":ext", "-"}, // the index alone decides
		{URI, "/files/*name/raw", "/files/a/b/raw", "name", "a/b"},
		{HostURI, "/files/*name", "/files/a/b", "name", "a/b"},
		{HostURI, "/a/*/b/*", "/a/1/b/2/b/3", ":ext", "1/b/2"},
		{HostURI, "/user/:id", "/user/:id", "id", "-"},
	} {
		tab, err := New[string](tc.router).Replace(nil, rule("1", "", tc.path))
		if err != nil {
			t.Fatal(err)
		}
		q := Query{Path: tc.asks, Vars: noVars{}}
		if r, _ := tab.Match(&q); r == nil {
			t.Errorf("%s, %s: no match for %s", tc.router, tc.path, tc.asks)
			continue
		}
		got, ok := q.Matched.Capture(tc.asks, tc.name)
		if !ok {
			got = "-"
		}
		if got != tc.want {
			t.Errorf("%s, %s: %s of %s is %q, want %q", tc.router, tc.path, tc.name, tc.asks, got, tc.want)
		}
	}
}

func TestPartsOfThePathAreThoseOfTheRuleThatIsFound(t *testing.T) {
	here := expr.Binding{Port: 80}
	plain, named := rule("plain", "", "/a/*").at(1), rule("named", "", "/a/*name/x")
	for _, bound := range []*Rule[string]{plain, named} { // what is tied to a listener is looked at last
		a, b := *plain, *named
		if bound == plain {
			a.Listener = here
		} else {
			b.Listener = here
		}
		q := Query{Local: netip.MustParseAddrPort("203.0.113.10:80"), Path: "/a/b/x", Vars: noVars{}}
		if r, _ := table(t, &a, &b).Match(&q); r != &a || q.Matched != nil {
			t.Errorf("%s is found, and its path has parts with names: %v", r.ID, q.Matched != nil)
		}
	}
}

func TestConditionsMayAskForPartsOfThePath(t *testing.T) {
	tab := New[string](URIWithParameter)
	rules := []*Rule[string]{
		vars(t, rule("seven", "", "/user/:id"), `[["uri_param_id","==","7"]]`),
		vars(t, rule("big", "", "/user/:id"), `[["uri_param_id",">",100]]`),
		vars(t, rule("plain", "", "/user/*"), `[["uri_param_id","==",null]]`),
	}
	for _, r := range rules {
		var err error
		if tab, err = tab.Replace(nil, r); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{"/user/7": "seven", "/user/700": "big", "/user/8": "plain", "/other": "-"} {
		if got := ask(tab, "GET", "", path); got != want {
			t.Errorf("%s = %s, want %s", path, got, want)
		}
	}
	q := Query{Path: "/user/1/2", Vars: noVars{}}
	tab, _ = tab.Replace(rules[2], nil)
	if r, _ := tab.Match(&q); r != nil || q.Matched != nil {
		t.Error("without a match parts of the path have names")
	}
}

// inBody has one variable that is no text.
type inBody struct{ noVars }

func (inBody) Value(name string) (any, bool) { return []any{"a"}, name == "post_arg.list" }

func TestConditionsBesidePartsOfThePathMayAskForWhatIsNoText(t *testing.T) {
	tab, err := New[string](URIWithParameter).Replace(nil, vars(t, rule("list", "", "/user/:id"), `[["uri_param_id","==","7"],["post_arg.list","has","a"]]`))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{"/user/7": true, "/user/8": false} {
		q := Query{Method: "GET", Path: path, Vars: inBody{}}
		if r, _ := tab.Match(&q); (r != nil) != want {
			t.Errorf("%s: matches: %t", path, !want)
		}
		for c := range tab.Candidates(&q) {
			if id, ok := c.Vars(&q).Value("uri_param_id"); !ok || id != path[len("/user/"):] {
				t.Errorf("%s: the part of the path is %v, %t as a value", path, id, ok)
			}
		}
	}
}

func TestRoutersAreNamedAsInAPISIX(t *testing.T) {
	for _, name := range []string{"radixtree_host_uri", "radixtree_uri", "radixtree_uri_with_parameter"} {
		if r, err := ParseRouter(name); err != nil || r.String() != name {
			t.Errorf("%s: %s, %v", name, r, err)
		}
	}
	if _, err := ParseRouter("radixtree"); err == nil {
		t.Error("an unknown name is a router")
	}
}
