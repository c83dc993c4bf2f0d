package explain

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/health"
)

// source has objects given as "routes/1" and JSON, the first at revision 1.
func source(t *testing.T, pairs ...string) *Source {
	t.Helper()
	var cs []config.Change
	for i := 0; i < len(pairs); i += 2 {
		kind, id := config.Locate(pairs[i])
		rev := int64(i/2 + 1)
		cs = append(cs, config.Change{Kind: kind, ID: id, Key: "/apisix/" + pairs[i], Value: []byte(pairs[i+1]), Create: rev, Mod: rev})
	}
	snap, d := (&config.Snapshot{}).Apply(cs)
	for key, err := range d.Refused {
		t.Fatalf("%s refused: %v", key, err)
	}
	return &Source{Snapshot: snap, Prefix: "/apisix", Applied: map[string]int64{"/apisix": int64(len(cs))}, Now: time.Unix(1700000000, 0)}
}

func ask(t *testing.T, s *Source, f Form) *Answer {
	t.Helper()
	q, err := f.Question()
	if err != nil {
		t.Fatal(err)
	}
	return s.Explain(q)
}

const up = `{"nodes":{"10.0.0.1:80":1,"10.0.0.2:80":1}}`

func TestAnswerNamesTheRouteAndWhyNoOtherIsTaken(t *testing.T) {
	s := source(t,
		"upstreams/u", up,
		"services/s", `{"upstream_id":"u","plugins":{"gzip":{}}}`,
		"routes/post", `{"uri":"/cart","host":"shop.example","methods":["POST"],"upstream_id":"u"}`,
		"routes/beta", `{"uri":"/cart","host":"*.example","vars":[["cookie_beta","==","1"]],"upstream_id":"u"}`,
		"routes/cart", `{"uri":"/c*","host":"*.example","name":"cart","service_id":"s","timeout":{"connect":1,"send":2,"read":3}}`,
		"routes/off", `{"uri":"/cart","host":"shop.example","status":0,"upstream_id":"u"}`,
		"routes/all", `{"uri":"/*","upstream_id":"u"}`,
		"routes/other", `{"uri":"/other","upstream_id":"u"}`,
	)
	a := ask(t, s, Form{URL: "http://shop.EXAMPLE:8080/x/../cart?a=1", Headers: []string{"Cookie: beta=0"}, Remote: "198.18.0.3", Local: "203.0.113.10:80", Route: "post"})
	if a.Route == nil || a.Route.Key != "/apisix/routes/cart" || a.Route.Host != "*.example" || a.Route.Path != "/c*" || a.Route.Name != "cart" {
		t.Fatalf("route: got %+v", a.Route)
	}
	if got := a.Request; got.Path != "/cart" || got.Host != "shop.example" || got.Authority != "shop.EXAMPLE:8080" || got.Query != "a=1" || got.Remote != "198.18.0.3" {
		t.Errorf("request: got %+v", got)
	}
	reasons := func(list []Candidate) (out []string) {
		for _, c := range list {
			out = append(out, strings.TrimPrefix(c.Key, "/apisix/routes/")+": "+c.Why)
		}
		return out
	}
	for what, pair := range map[string][2]string{
		"refused":  {strings.Join(reasons(a.Refused), "; "), `post: the method GET is not POST; beta: vars: ["cookie_beta","==","1"] does not hold: cookie_beta is "0"`},
		"behind":   {strings.Join(reasons(a.Behind), "; "), `all: `},
		"disabled": {strings.Join(reasons(a.Disabled), "; "), `off: its status is 0`},
		"asked":    {a.Asked.Why, "the method GET is not POST"},
		"outcome":  {a.Outcome, "goes to /apisix/upstreams/u, by /apisix/routes/cart"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %s\nwant %s", what, pair[0], pair[1])
		}
	}
	if p := a.Plugins; len(p) != 1 || p[0].Name != "gzip" || p[0].From != "/apisix/services/s" || p[0].Runs || p[0].Guards {
		t.Errorf("plugins: got %+v", p)
	}
	if u := a.Upstream; u == nil || u.Key != "/apisix/upstreams/u" || u.Connect != 1 || u.Read != 3 || u.Tries != 2 || len(u.Targets) != 2 || u.Targets[0].Host != "shop.EXAMPLE:8080" {
		t.Errorf("upstream: got %+v", u)
	}
	want := map[string]int64{"/apisix/upstreams/u": 1, "/apisix/services/s": 2, "/apisix/routes/cart": 5, "/apisix/routes/post": 3}
	for _, o := range a.Objects {
		if o.Modified != want[o.Key] {
			t.Errorf("object %+v, want revision %d", o, want[o.Key])
		}
		delete(want, o.Key)
	}
	if len(want) > 0 {
		t.Errorf("objects: got %+v, without %v", a.Objects, want)
	}
}

func TestAnswersThatTheGatewayMakesAreTold(t *testing.T) {
	s := source(t,
		"routes/svc", `{"uri":"/svc","service_id":"gone"}`, "routes/up", `{"uri":"/up","upstream_id":"gone"}`,
		"routes/none", `{"uri":"/none","plugins":{}}`, "routes/guarded", `{"uri":"/guarded","plugins":{"key-auth":{}},"upstream":`+up+`}`,
		"routes/odd", `{"uri":"/odd","upstream":{"type":"odd","nodes":{"10.0.0.1:80":1}}}`,
		"routes/pc", `{"uri":"/pc","plugin_config_id":"gone","upstream":`+up+`}`,
	)
	s.Next = func(*config.Upstream) [][]int { return [][]int{{0}} }
	s.Refused = map[string]string{"/apisix/routes/up": "bad", "/apisix/routes/new": "worse"}
	for path, want := range map[string]Generated{
		"/svc": {404, "service gone does not exist"}, "/up": {502, "upstream gone does not exist"},
		"/none": {503, "missing upstream configuration in Route or Service"}, "/guarded": {503, "plugin key-auth is not supported by this gateway yet"},
		"/odd": {502, "unknown upstream type odd"}, "/pc": {503, "plugin config gone does not exist"}, "/nothing": {404, "no route matches"},
	} {
		a := ask(t, s, Form{URL: "http://a.example" + path})
		if a.Generated == nil || *a.Generated != want || !strings.Contains(a.Outcome, want.Why) {
			t.Errorf("%s: got %+v, %s, want %+v", path, a.Generated, a.Outcome, want)
		}
		if a.Upstream != nil && a.Upstream.Next != nil {
			t.Errorf("%s: %v is said to be next, and nobody is", path, a.Upstream.Next)
		}
	}
	a := ask(t, s, Form{URL: "http://a.example/up", Route: "new"})
	if a.Asked.Why != "it was refused: worse" || a.Objects[0].Refused != "bad" {
		t.Errorf("got %+v and %+v, want what was refused", a.Asked, a.Objects)
	}
	if a := ask(t, s, Form{URL: "https://a.example/up"}); a.TLS == nil || a.TLS.SNI != "a.example" || !strings.HasPrefix(a.Outcome, "no handshake") {
		t.Errorf("got %+v, %s, want no handshake", a.TLS, a.Outcome)
	}
}

func TestHealthAndTheNextTargetsAreTold(t *testing.T) {
	s := source(t, "routes/1", `{"uri":"/*","upstream":`+up+`}`)
	s.Health = func(*config.Upstream) []health.View {
		return []health.View{{Status: health.Unhealthy, Counters: health.Counters{HTTPFailure: 5}, Last: "status 500"}, {Status: health.Healthy}}
	}
	s.Next = func(*config.Upstream) [][]int { return [][]int{{1, 0}, {1}} }
	a := ask(t, s, Form{Head: []byte("GET / HTTP/1.1\nHost: a.example\n\nrest"), Consumer: "jack"})
	if a.Outcome != "goes to 10.0.0.2:80 next, by /apisix/routes/1" || len(a.Notes) != 1 || a.Notes[0] != "consumer jack does not exist" {
		t.Errorf("got %s, notes %v", a.Outcome, a.Notes)
	}
	var b strings.Builder
	if err := a.Text(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"GET http://a.example/\ngoes to 10.0.0.2:80 next, by /apisix/routes/1\n", "unhealthy (5 bad answers; the last: status 500)",
		"next, 1    10.0.0.2:80, then 10.0.0.1:80", "/apisix/routes/1", "created at 1, changed at 1", "in force up to 1"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var again Answer
	if err := json.Unmarshal(text, &again); err != nil || again.Upstream.Targets[0].Health.Status != health.Unhealthy {
		t.Errorf("read back: %v, %s", err, text)
	}
}

func TestListsAreBounded(t *testing.T) {
	pairs := []string{}
	for i := range 30 {
		pairs = append(pairs, "routes/"+string(rune('a'+i%26))+strings.Repeat("x", i/26), `{"uri":"/a","methods":["POST"],"upstream":`+up+`}`)
	}
	a := ask(t, source(t, pairs...), Form{URL: "http://a.example/a", Max: "7"})
	if len(a.Refused) != 7 || a.RefusedMore != 23 {
		t.Errorf("got %d and %d more, want 7 and 23", len(a.Refused), a.RefusedMore)
	}
}

func TestQuestionsThatNoRequestCouldBeAreRefused(t *testing.T) {
	for want, f := range map[string]Form{
		"no url":                          {},
		"want an absolute one":            {URL: "/a"},
		"scheme":                          {URL: "ftp://a/"},
		"want Name: value":                {URL: "http://a/", Headers: []string{"x"}},
		"remote":                          {URL: "http://a/", Remote: "x"},
		"local":                           {URL: "http://a/", Local: "x"},
		"max":                             {URL: "http://a/", Max: "0"},
		"refuses such a request with 400": {URL: "http://a/%zz"},
		"CONNECT":                         {Head: []byte("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n")},
	} {
		if _, err := f.Question(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %s", f, err, want)
		}
	}
	q, err := (&Form{URL: "https://203.0.113.10/?a", Headers: []string{"host: Shop.example"}}).Question()
	if err != nil || q.Request.Host != "shop.example" || q.SNI != "shop.example" || q.Request.Path != "/" || q.Request.Scheme != "https" {
		t.Errorf("got %+v, %v", q, err)
	}
	if q, err = (&Form{URL: "http://203.0.113.10/"}).Question(); err != nil || q.Request.Local.String() != "203.0.113.10:80" || q.SNI != "" {
		t.Errorf("got %v, %v, want the address of the URL", q.Request.Local, err)
	}
}

func TestPluginThatNeedNotBeRunIsNoGap(t *testing.T) {
	s := source(t, "routes/1", `{"uri":"/*","plugins":{"prometheus":{},"gzip":{}},"upstream":`+up+`}`)
	var b strings.Builder
	if err := ask(t, s, Form{URL: "http://a.example/"}).Text(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"/apisix/routes/1  need not be run: the gateway counts for every route\n", "/apisix/routes/1  cannot be run: left out\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("got\n%s\nwant %s", b.String(), want)
		}
	}
}

func TestRefusedObjectsOnTheWayAreTold(t *testing.T) {
	s := source(t, "routes/all", `{"uri":"/*","upstream_id":"lc"}`, "routes/old", `{"uri":"/old","plugins":{}}`)
	s.Refused = map[string]string{
		"/apisix/routes/new": "filter_func", "/apisix/routes/old": "bad regex", "/apisix/upstreams/lc": "no such type", "/apisix/ssls/env": "no secret",
		"/apisix/global_rules/g": "unknown plugin [x]", "/unilb/listeners/a": "in use", "/apisix/services/far": "bad",
	}
	keys := func(a *Answer) (out string) {
		for _, u := range a.Unusable {
			out += fmt.Sprintf("%s %t %s; ", strings.TrimPrefix(u.Key, "/apisix/"), u.Older, u.Why)
		}
		return out
	}
	a := ask(t, s, Form{URL: "http://shop.example/cart"})
	if want := "global_rules/g false unknown plugin [x]; routes/new false filter_func; routes/old true bad regex; "; keys(a) != want {
		t.Errorf("got %s\nwant %s", keys(a), want)
	}
	if want := "answered 502 by the gateway: /apisix/upstreams/lc was refused: no such type"; a.Outcome != want {
		t.Errorf("got %s, want %s", a.Outcome, want)
	}
	var b strings.Builder
	if err := a.Text(&b); err != nil || !strings.Contains(b.String(), "/apisix/routes/new      not in force: filter_func\n") || !strings.Contains(b.String(), "/apisix/routes/old      an older version is in force: bad regex\n") {
		t.Errorf("got %s, %v", b.String(), err)
	}
	a = ask(t, s, Form{URL: "https://shop.example/cart", Max: "2"})
	if want := `no handshake: nobody has a certificate for "shop.example"; /apisix/ssls/env was refused: no secret`; a.Outcome != want || len(a.Unusable) != 2 || a.UnusableMore != 2 {
		t.Errorf("got %s with %d and %d more, want %s with 2 and 2", a.Outcome, len(a.Unusable), a.UnusableMore, want)
	}
	s.Refused = nil
	if a = ask(t, s, Form{URL: "http://shop.example/cart"}); len(a.Unusable) != 0 || !strings.Contains(a.Outcome, "upstream lc does not exist") {
		t.Errorf("with nothing refused: %s and %v", a.Outcome, a.Unusable)
	}
}

func TestWhoIsBelievedIsBelievedInAnswersToo(t *testing.T) {
	s := source(t, "upstreams/u", up, "routes/1", `{"uri":"/a","remote_addr":"192.0.2.9","upstream_id":"u"}`)
	s.Peers.RealIPFrom = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	f := Form{URL: "http://a.example/a", Headers: []string{"X-Real-IP: 192.0.2.9"}, Remote: "127.0.0.1"}
	if a := ask(t, s, f); a.Route == nil || a.Request.Remote != "192.0.2.9" {
		t.Errorf("by a proxy that is believed: route %+v for %s", a.Route, a.Request.Remote)
	}
	f.Remote = "127.0.0.2"
	if a := ask(t, s, f); a.Route != nil || a.Request.Remote != "127.0.0.2" {
		t.Errorf("by another: route %+v for %s", a.Route, a.Request.Remote)
	}
}
