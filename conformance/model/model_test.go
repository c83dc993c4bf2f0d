package model

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func object(kind, id, body string, created int64) Object {
	return Object{Kind: kind, ID: id, Body: []byte(body), Created: created}
}

func build(t *testing.T, objects ...Object) *Model {
	t.Helper()
	for _, o := range objects {
		if err := o.Check(); err != nil {
			t.Fatal(err)
		}
	}
	m, err := Build(9, objects)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestWhatTheModelCannotCarryIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		o      Object
		want   string
		noWord bool
	}{
		"unknown field":       {object(Routes, "x", `{"uri": "/", "filter_func": "f"}`, 1), `routes/x: the model of dialect static has no word for "filter_func"`, true},
		"within an upstream":  {object(Upstreams, "x", `{"nodes": {"a:1": 1}, "discovery_type": "dns"}`, 1), `"discovery_type"`, true},
		"within a node":       {object(Upstreams, "x", `{"nodes": [{"host": "a", "port": 1, "weight": 1, "colour": 1}]}`, 1), `"colour"`, true},
		"balancing":           {object(Upstreams, "x", `{"type": "lottery"}`, 1), `upstreams/x: the model of dialect static has no word for type "lottery"`, true},
		"star in a segment":   {object(Routes, "x", `{"uri": "/a*b/c"}`, 1), "a star within a segment", true},
		"client certificate":  {object(SSLs, "x", `{"type": "client", "snis": ["a"], "cert": "c", "key": "k"}`, 1), "type client", true},
		"no JSON":             {object(Routes, "x", `{`, 1), "routes/x: ", false},
		"wrong type":          {object(Routes, "x", `{"uri": 1}`, 1), "routes/x: ", false},
		"no path":             {object(Routes, "x", `{}`, 1), "want uri or uris", false},
		"relative path":       {object(Routes, "x", `{"uri": "a"}`, 1), "begins with /", false},
		"two stars in a host": {object(Routes, "x", `{"uri": "/", "host": "*.a.*"}`, 1), "the end of one", false},
		"negative weight":     {object(Upstreams, "x", `{"nodes": {"192.0.2.1:80": -1}}`, 1), "weight -1 is negative", false},
		"nested":              {object(Routes, "x", `{"uri": "/", "upstream": {"nodes": [{"host": "a;b", "port": 1}]}}`, 1), `node "a;b"`, false},
		"no key":              {object(SSLs, "x", `{"snis": ["a"], "cert": "c"}`, 1), "cert and key", false},
		"no names":            {object(SSLs, "x", `{"cert": "c", "key": "k"}`, 1), "sni or snis", false},
		"kind":                {object("consumers", "x", `{}`, 1), `unknown kind "consumers"`, false},
	} {
		err := c.o.Check()
		var none *NoWord
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.As(err, &none) != c.noWord {
			t.Errorf("%s: got %T %v, want %q, no word: %t", name, err, err, c.want, c.noWord)
		}
	}
}

func TestReferencesAndDefaultsAreResolved(t *testing.T) {
	m := build(t,
		object(Upstreams, "u", `{"nodes": {"192.0.2.2:81": 2, "192.0.2.1": 1, "192.0.2.3:83": 0}, "timeout": {"read": 1.5}, "checks": {"active": {"http_path": "/h", "unhealthy": {"interval": 2}}}}`, 1),
		object(Services, "s", `{"upstream_id": "u", "hosts": ["S.example"], "enable_websocket": true, "plugins": {"a": {"n": 1}, "b": {}}}`, 2),
		object(Routes, "r", `{"uri": "/*", "service_id": "s", "timeout": {"connect": 2}, "plugins": {"a": {"n": 2}}}`, 3),
		object(Routes, "own", `{"uris": ["/a", "/b"], "service_id": "s", "host": "own.example", "enable_websocket": false, "upstream": {"nodes": []}}`, 4),
		object(Routes, "off", `{"uri": "/off", "status": 0, "upstream_id": "u"}`, 5),
		object(Routes, "lost", `{"uri": "/lost", "service_id": "gone"}`, 6),
		object(Routes, "dry", `{"uri": "/dry", "upstream_id": "gone"}`, 7),
		object(Routes, "bare", `{"uri": "/bare"}`, 8),
	)
	byName := map[string]*Route{}
	for _, r := range m.Routes {
		byName[r.Name] = r
	}
	r := byName["routes.r"]
	if r == nil || r.Upstream == nil || r.Upstream.Name != "upstreams.u" || !r.Websocket || string(r.Plugins["a"]) != `{"n": 2}` || r.Plugins["b"] == nil {
		t.Fatalf("route r: got %+v", r)
	}
	if want := (Timeout{2 * time.Second, time.Minute, 1500 * time.Millisecond}); r.Timeout != want {
		t.Errorf("timeouts: got %v, want %v", r.Timeout, want)
	}
	u := r.Upstream
	if len(u.Nodes) != 3 || u.Nodes[0].Addr() != "192.0.2.1:80" || len(u.Usable()) != 2 || u.Retries != 2 || u.PassHost != "pass" || u.Type != "roundrobin" {
		t.Errorf("upstream: got %+v", u)
	}
	if c := u.Check; c == nil || c.Path != "/h" || c.Interval != time.Second || c.SickInterval != 2*time.Second || c.Rise != 2 || c.Fall != 5 || !slices.Equal(c.Statuses, []int{200, 302}) {
		t.Errorf("check: got %+v", c)
	}
	for name, want := range map[string]int{"own": 503, "lost": 404, "dry": 502, "bare": 503} {
		if r := byName[Routes+"."+name]; r == nil || r.Status != want || r.Upstream != nil || r.Websocket {
			t.Errorf("%s: got %+v, want status %d and no upstream", name, r, want)
		}
	}
	if byName["routes.off"] != nil {
		t.Error("a route with status 0 takes part")
	}
	var hosts []string
	for _, r := range m.Rules {
		hosts = append(hosts, r.Host.Pattern()+r.Path.Pattern())
	}
	want := []string{"own.example/a", "own.example/b", "s.example/*", "*/bare", "*/dry", "*/lost"}
	if !slices.Equal(hosts, want) {
		t.Errorf("rules: got %q, want %q", hosts, want)
	}
}

// naive is the routing of APISIX's router radixtree_host_uri, told as its
// documentation tells it: hosts from the most to the least specific, and in each of
// them exact paths before prefixes, longer ones first, higher priorities first.
func naive(objects []Object, host, path, method string) string {
	type candidate struct {
		id, host, uri string
		methods       []string
		priority      int64
	}
	var all []candidate
	for _, o := range objects {
		var r routeObject
		if err := o.decode(&r); err != nil {
			panic(err)
		}
		hosts := r.hosts()
		if len(hosts) == 0 {
			hosts = []string{""}
		}
		for _, h := range hosts {
			for _, u := range r.paths() {
				all = append(all, candidate{o.ID, h, u, r.Methods, r.Priority})
			}
		}
	}
	var levels []string
	for _, c := range all {
		rest, wild := strings.CutPrefix(c.host, "*")
		fits := c.host == "" || c.host == host || wild && strings.HasSuffix(host, rest) && len(host) > len(rest)
		if fits && !slices.Contains(levels, c.host) {
			levels = append(levels, c.host)
		}
	}
	rank := func(h string) int { // exact names first, then the longest wildcard
		if h == "" {
			return 0
		}
		if strings.HasPrefix(h, "*") {
			return len(h)
		}
		return 1000
	}
	slices.SortFunc(levels, func(a, b string) int { return cmp.Compare(rank(b), rank(a)) })
	for _, level := range levels {
		best, bestLen := "", -1
		var bestPriority int64
		for _, c := range all {
			if c.host != level || len(c.methods) > 0 && !slices.Contains(c.methods, method) {
				continue
			}
			length := -1
			if prefix, star := strings.CutSuffix(c.uri, "*"); star && strings.HasPrefix(path, prefix) {
				length = len(prefix)
			} else if !star && c.uri == path {
				length = 1000
			}
			if length > bestLen || length == bestLen && length >= 0 && c.priority > bestPriority {
				best, bestLen, bestPriority = c.id, length, c.priority
			}
		}
		if bestLen >= 0 {
			return best
		}
	}
	return ""
}

func firstOf(rules []Rule, host, path, method string, t *testing.T) string {
	for _, r := range rules {
		re := regexp.MustCompile("^" + r.Path.Regex())
		plain := r.Path.Kind == Exact && path == r.Path.Text || r.Path.Kind == Prefix && strings.HasPrefix(path, r.Path.Text)
		if re.MatchString(path) != plain {
			t.Errorf("path %q and rule %q: its regular expression says %t", path, r.Path.Pattern(), !plain)
		}
		if h := regexp.MustCompile("^" + r.Host.Regex() + "$").MatchString(host); h != r.Host.Matches(host) {
			t.Errorf("host %q and rule %q: its regular expression says %t", host, r.Host.Pattern(), h)
		}
		if plain && r.Host.Matches(host) && (len(r.Methods) == 0 || slices.Contains(r.Methods, method)) {
			return strings.TrimPrefix(r.Route.Name, "routes.")
		}
	}
	return ""
}

func TestFirstRuleThatMatchesIsTheOneARouterChooses(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	pick := func(of ...string) string { return of[rnd.IntN(len(of))] }
	hosts := []string{"", "a.x", "b.a.x", "*.x", "*.a.x", "*", "*x"}
	paths := []string{"/", "/*", "/a", "/a*", "/a/*", "/a/b", "/a.b", "/a/b*", "/*"}
	for round := range 400 {
		var objects []Object
		for i := range 1 + rnd.IntN(8) {
			body := fmt.Sprintf(`{"uris": [%q, %q], "priority": %d`, pick(paths...), pick(paths...), rnd.IntN(3))
			if h := pick(hosts...); h != "" {
				body += fmt.Sprintf(`, "host": %q`, h)
			}
			if m := pick("", "", "GET", "POST"); m != "" {
				body += fmt.Sprintf(`, "methods": [%q]`, m)
			}
			objects = append(objects, object(Routes, fmt.Sprint("r", i), body+"}", int64(i+1)))
		}
		m := build(t, objects...)
		for range 20 {
			host, path, method := pick("a.x", "b.a.x", "c.b.a.x", "x", "y", "ax"), pick("/", "/a", "/a/", "/a/b", "/a/b/c", "/axb", "/a.b", "/ab"), pick("GET", "POST", "PUT")
			want := naive(objects, host, path, method)
			if got := firstOf(m.Rules, host, path, method, t); got != want {
				t.Fatalf("seed %d round %d: %s %s%s: got %q, want %q; rules %+v", seed, round, method, host, path, got, want, m.Rules)
			}
			if got := firstOf(hostRules(m, host), host, path, method, t); got != want {
				t.Fatalf("seed %d round %d: %s %s%s by host: got %q, want %q", seed, round, method, host, path, got, want)
			}
		}
	}
}

// hostRules chooses by host alone, as a gateway with virtual hosts does.
func hostRules(m *Model, host string) []Rule {
	for _, h := range m.Hosts {
		if h.Host.Matches(host) {
			return h.Rules
		}
	}
	return nil
}

func TestStarInTheMiddleIsAnyText(t *testing.T) {
	m := build(t, object(Routes, "r", `{"uri": "/a.b/*/z"}`, 1))
	re := regexp.MustCompile("^" + m.Rules[0].Path.Regex())
	for path, want := range map[string]bool{"/a.b/x/z": true, "/a.b/x/y/z": true, "/axb/x/z": false, "/a.b/z": false, "/a.b/x/zz": false, "/a.b//z": true} {
		if re.MatchString(path) != want {
			t.Errorf("%s: got %t, want %t", path, !want, want)
		}
	}
}

func TestCertificatesAreFilesWithNamesOfTheirContents(t *testing.T) {
	ssl := func(id, key string) Object {
		return object(SSLs, id, fmt.Sprintf(`{"snis": ["*.A.example", "a.example"], "cert": "C", "key": %q, "certs": ["C2"], "keys": ["K2"]}`, key), 1)
	}
	one, files := build(t, ssl("x", "K")).In("/d")
	c := one.Certificates[0]
	if len(c.Pairs) != 2 || len(files) != 6 {
		t.Fatalf("got %+v and %d files", c, len(files))
	}
	if n := one.ServerNames; len(n) != 2 || n[0].Name != "a.example" || n[1].Regex() != `[^.]+\.a\.example` || n[1].Certificate.Pairs[0].File == "" {
		t.Errorf("names of handshakes: got %+v", n)
	}
	if got := files[strings.TrimPrefix(c.Pairs[0].File, "/d/")]; got != "C\nK\n" {
		t.Errorf("file with chain and key: got %q", got)
	}
	if got := files[strings.TrimPrefix(c.Pairs[1].KeyFile, "/d/")]; got != "K2\n" {
		t.Errorf("key of the second pair: got %q", got)
	}
	other, _ := build(t, ssl("x", "K3")).In("/d")
	if other.Certificates[0].Pairs[0].KeyFile == c.Pairs[0].KeyFile {
		t.Error("another key has the same file name")
	}
}

func TestNamesOfHandshakesAreTriedFromTheNarrowToTheWide(t *testing.T) {
	var objects []Object
	for i, names := range []string{`"*"`, `"*.b.example", "*.example"`, `"a.b.example"`, `"*.a.b.example", "a.b.example"`} {
		objects = append(objects, object(SSLs, fmt.Sprint(i), fmt.Sprintf(`{"snis": [%s], "cert": "C%d", "key": "K"}`, names, i), int64(i)))
	}
	var got []string
	for _, n := range build(t, objects...).ServerNames {
		got = append(got, n.Name)
	}
	want := []string{"a.b.example", "*.a.b.example", "*.b.example", "*.example", "*"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEveryTryIsAGoodObject(t *testing.T) {
	for _, try := range Tries() {
		for _, o := range try.Objects {
			if err := o.Check(); err != nil {
				t.Errorf("%s: %v", try.What, err)
			}
		}
		if _, err := Build(1, try.Objects); err != nil {
			t.Errorf("%s: %v", try.What, err)
		}
	}
	if m := Minimal(); len(m.Rules) != 1 || len(m.Upstreams) != 1 {
		t.Errorf("got %+v", m)
	}
}

func FuzzObjectsNeverPanic(f *testing.F) {
	f.Add("routes", `{"uri": "/a", "upstream": {"nodes": {"a:1": 1}}}`)
	f.Add("upstreams", `{"nodes": [{"host": "a", "port": 1}], "checks": {"active": {}}}`)
	f.Add("ssls", `{"sni": "a", "cert": "", "key": ""}`)
	f.Fuzz(func(t *testing.T, kind, body string) {
		o := object(kind, "x", body, 1)
		if o.Check() != nil {
			return
		}
		if _, err := Build(1, []Object{o}); err != nil {
			t.Errorf("a good object cannot be built: %v", err)
		}
	})
}
