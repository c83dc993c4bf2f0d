package proxy

import (
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/exchange"
	"github.com/unilb/unilb/impl/route"
	"github.com/unilb/unilb/impl/vars"
)

func TestPathsAreSeenAsTheSettingsSay(t *testing.T) {
	all := Paths{EncodedSlash: true, TailSlash: true, Servlet: true}
	for _, tc := range []struct {
		paths  Paths
		target string
		want   string // the path that matches; "": 400
	}{
		{Paths{}, "/a%2Fb/;x/", "/a/b/;x/"},
		{Paths{EncodedSlash: true}, "/a%2Fb/%41?c=%2F", "/a%2Fb/A"},
		{Paths{EncodedSlash: true}, "/a%2fb", "/a%2Fb"},
		{Paths{EncodedSlash: true}, "/a/%2E%2E/b%2F..", "/b%2F.."},
		{Paths{EncodedSlash: true}, "/a%2Fb/../c", "/c"},
		{Paths{EncodedSlash: true}, "/a%2Fb/../..", ""}, // leaves the root in that reading
		{Paths{EncodedSlash: true}, "/a%252Fb", "/a%2Fb"},
		{Paths{TailSlash: true}, "/a/", "/a"},
		{Paths{TailSlash: true}, "/a", "/a"},
		{Paths{TailSlash: true}, "/", "/"},
		{Paths{TailSlash: true}, "/a//", "/a"},
		{Paths{TailSlash: true}, "/a%2F", "/a"},
		{Paths{Servlet: true}, "/a;v=1/b;w;x/c", "/a/b/c"},
		{Paths{Servlet: true}, "/a/;x", "/a/"},
		{Paths{Servlet: true}, "/a/;x/b", ""},
		{Paths{Servlet: true}, "/;/a", ""},
		{Paths{Servlet: true}, "/a/..;/b", ""},
		{Paths{Servlet: true}, "/a/.;x/b", ""},
		{Paths{Servlet: true}, "/a/%252E%2e;/b", ""},
		{Paths{Servlet: true}, "/a/%252e;/b", ""},
		{Paths{Servlet: true}, "/a/../b", "/b"},
		{Paths{Servlet: true}, "/a%3Bx/b", "/a/b"},
		{all, "/a;x%2Fb/", "/a"},
		{all, "/a%2Fb;x/", "/a%2Fb"},
	} {
		g := newGateway(t)
		g.o.Paths = tc.paths
		want := 200
		if tc.want == "" {
			want = 400
		} else {
			g.put("routes/1", `{"uri":"`+tc.want+`","vars":[["uri","==","`+tc.want+`"]],"upstream":{"nodes":{"10.0.0.1:80":1}}}`)
		}
		a := g.Do(get(tc.target))
		if a.Status != want || want == 200 && a.Sent[0].Target != tc.target || want == 400 && value(a.Fields, "Server") != ServerName {
			t.Errorf("%+v, %s: %d %+v, want it to match %q and to be sent as it came", tc.paths, tc.target, a.Status, a.Sent, tc.want)
		}
	}
}

func TestVariablesAfterTheMatchShowThePathAsItIs(t *testing.T) {
	g := newGateway(t)
	g.o.Paths = Paths{EncodedSlash: true}
	var uri string
	g.o.Log = func(x *exchange.Exchange, _ Entry) {
		seen := vars.Of(x)
		v, _ := seen.Var("uri")
		uri = strings.Clone(v)
	}
	g.put("routes/1", `{"uri":"/a%2Fb","upstream":{"nodes":{"10.0.0.1:80":1}}}`)
	if a := g.Do(get("/a%2Fb")); a.Status != 200 || uri != "/a/b" {
		t.Errorf("status %d, uri %q; want 200 and /a/b", a.Status, uri)
	}
}

func TestPartsOfThePathAreVariables(t *testing.T) {
	g := newGateway(t)
	g.snap = (&config.Snapshot{}).By(route.URIWithParameter)
	var seen []string
	g.o.Log = func(x *exchange.Exchange, e Entry) {
		of := vars.Of(x)
		for _, name := range []string{"uri_param_id", "uri_param_rest", "uri_param_none"} {
			v, ok := of.Var(name)
			if !ok {
				v = "-"
			}
			seen = append(seen, strings.Clone(v))
		}
	}
	g.put("routes/1", `{"uri":"/user/:id/*rest","vars":[["uri_param_id","~~","^[0-9]+$"]],"upstream":{"nodes":{"10.0.0.1:80":1}}}`,
		"routes/2", `{"uri":"/user/*","upstream":{"nodes":{"10.0.0.2:80":1}}}`)
	for path, want := range map[string]string{"/user/7/a/b": "10.0.0.1:80 7 a/b -", "/user/x/a": "10.0.0.2:80 - - -"} {
		seen = nil
		a := g.Do(get(path))
		if len(a.Sent) != 1 || a.Sent[0].Name+" "+strings.Join(seen, " ") != want {
			t.Errorf("%s: %d, variables %v; want %s", path, a.Status, seen, want)
		}
	}
}
