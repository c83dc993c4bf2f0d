package proxy

import (
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/exchange"
)

func TestAnswersForWhatIsMissing(t *testing.T) {
	g := newGateway(t)
	g.put("routes/svc", `{"uri":"/svc","service_id":"gone"}`, "routes/up", `{"uri":"/up","upstream_id":"gone"}`,
		"routes/none", `{"uri":"/none","plugins":{}}`, "routes/empty", `{"uri":"/empty","upstream":{"nodes":{}}}`,
		"routes/cert", `{"uri":"/cert","upstream":{"nodes":{"10.0.0.1:443":1},"scheme":"https","tls":{"client_cert_id":"gone"}}}`,
		"routes/pc", `{"uri":"/pc","plugin_config_id":"gone","service_id":"gone","upstream":{"nodes":{"10.0.0.1:80":1}}}`,
		"routes/disco", `{"uri":"/disco","upstream":{"service_name":"x","discovery_type":"mine"}}`,
		"routes/algo", `{"uri":"/algo","upstream":{"nodes":{"10.0.0.1:80":1},"type":"mine"}}`,
		"routes/algo-empty", `{"uri":"/algo-empty","upstream":{"nodes":{},"type":"mine"}}`,
		"routes/guarded", `{"uri":"/guarded","plugins":{"key-auth":{}},"upstream_id":"gone"}`,
		"services/s", `{}`, "routes/bare", `{"uri":"/bare","service_id":"s"}`,
		"routes/off", `{"uri":"/off","status":0,"upstream":{"nodes":{"10.0.0.1:80":1}}}`)
	for path, want := range map[string]int{"/svc": 404, "/up": 502, "/none": 503, "/empty": 503, "/cert": 502, "/pc": 503, "/disco": 503, "/algo": 502,
		"/algo-empty": 503, "/guarded": 503, "/bare": 503, "/none-such": 404, "/off": 404} {
		a := g.Do(get(path))
		if a.Status != want || value(a.Fields, "Server") != "APISIX/3.18.0" || len(a.Sent) != 0 {
			t.Errorf("%s: status %d, want %d (%v)", path, a.Status, want, a.Fields)
		}
	}
	if a := g.Do(get("/none-such")); a.Body != `{"error_msg":"404 Route Not Found"}`+"\n" || value(a.Fields, "Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("no route: %q (%v)", a.Body, a.Fields)
	}
	if g.Do(get("/disco")); !strings.Contains(g.log[len(g.log)-1], "unknown discovery type mine") {
		t.Errorf("an unknown registry: the log says %s", g.log[len(g.log)-1])
	}
	if a := g.Do(get("/guarded")); !strings.Contains(a.Body, "plugin key-auth") {
		t.Errorf("closed, and without its upstream: %q, want the plugin in it", a.Body)
	}
	for what, want := range map[config.Missing]int{config.MissingConsumer: 503, config.MissingConsumerGroup: 503, config.MissingPluginConfig: 503} {
		var x exchange.Exchange
		if missing(&x, &config.MissingError{What: what}); x.Answer.Status != want {
			t.Errorf("missing %d: %d, want %d", what, x.Answer.Status, want)
		}
	}
	if a := g.Do(get("/svc")); !strings.Contains(a.Body, "404 Not Found") {
		t.Errorf("a missing service answers %q, want the page", a.Body)
	}
}

func TestMergeOfRouteServiceAndUpstream(t *testing.T) {
	g := newGateway(t)
	g.put("upstreams/u", `{"nodes":{"10.0.0.3:80":1},"pass_host":"node","timeout":{"connect":1,"send":2,"read":3}}`,
		"services/s", `{"hosts":["shop.example"],"upstream_id":"u"}`,
		"services/i", `{"upstream":{"nodes":{"10.0.0.4:81":1},"pass_host":"node"}}`,
		"routes/a", `{"uri":"/a","service_id":"s"}`,
		"routes/b", `{"uri":"/b","service_id":"s","upstream":{"nodes":{"10.0.0.5:80":1},"pass_host":"rewrite","upstream_host":"other.example"},"timeout":{"connect":9,"send":9,"read":9}}`,
		"routes/c", `{"uri":"/c","service_id":"i"}`,
		"routes/d", `{"uri":"/d","service_id":"i","upstream_id":"u"}`)
	for _, c := range []struct {
		path, target, host string
		read               time.Duration
	}{
		{"/a", "10.0.0.3:80", "10.0.0.3", 3 * time.Second},
		{"/b", "10.0.0.5:80", "other.example", 9 * time.Second},
		{"/c", "10.0.0.4:81", "10.0.0.4:81", 60 * time.Second},
		{"/d", "10.0.0.3:80", "10.0.0.3", 3 * time.Second},
	} {
		a := g.Do(get(c.path))
		if len(a.Sent) != 1 || a.Sent[0].Name != c.target || a.Sent[0].Plan.Host != c.host || a.Sent[0].Plan.Read != c.read {
			t.Errorf("%s: %d %+v, want %s as %s", c.path, a.Status, a.Sent, c.target, c.host)
		}
	}
	// The service's hosts bind its routes: another host finds nothing.
	r := get("/a")
	r.Authority = "foreign.example"
	if a := g.Do(r); a.Status != 404 {
		t.Errorf("foreign host: %d, want 404", a.Status)
	}
}

func TestRouteIsClosedByAPluginThatGuardsItAndCannotBeRun(t *testing.T) {
	g := newGateway(t)
	const up = `"upstream":{"nodes":{"10.0.0.1:80":1}}`
	g.put("services/s", `{"plugins":{"ip-restriction":{"whitelist":["10.0.0.0/8"]}}}`,
		"routes/own", `{"uri":"/own","plugins":{"key-auth":{}},`+up+`}`,
		"routes/inherited", `{"uri":"/inherited","service_id":"s",`+up+`}`,
		"routes/open", `{"uri":"/open","plugins":{"gzip":{}},`+up+`}`)
	for path, name := range map[string]string{"/own": "key-auth", "/inherited": "ip-restriction"} {
		a := g.Do(get(path))
		want := `{"error_msg":"plugin ` + name + ` is not supported by this gateway yet"}` + "\n"
		if a.Status != 503 || a.Body != want || len(a.Sent) != 0 || value(a.Fields, "Content-Type") != "application/json" || value(a.Fields, "Server") != "APISIX/3.18.0" {
			t.Errorf("%s: got %d %q, sent to %d targets (%v), want 503 %q", path, a.Status, a.Body, len(a.Sent), a.Fields, want)
		}
	}
	if a := g.Do(get("/open")); len(a.Sent) != 1 {
		t.Errorf("a plugin that guards nothing: got %d %q, sent to %d targets", a.Status, a.Body, len(a.Sent))
	}
}
