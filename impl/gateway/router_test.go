package gateway

import (
	"fmt"
	"net/http"
	"net/netip"
	"testing"

	"github.com/unilb/unilb/impl/proxy"
	"github.com/unilb/unilb/impl/route"
)

func TestRouterAndReadingOfPathsAreOptions(t *testing.T) {
	r := startWith(t, EngineLoop, func(o *Options) {
		o.Router, o.Paths = route.URIWithParameter, proxy.Paths{TailSlash: true}
	})
	one, two := backend(t, "one"), backend(t, "two")
	r.put("/apisix", "routes/older", fmt.Sprintf(`{"uri":"/user/:id","vars":[["uri_param_id","~~","^[0-9]+$"]],"upstream":{"nodes":{"%s":1}}}`, one))
	r.put("/apisix", "routes/newer", fmt.Sprintf(`{"uri":"/user/*","host":"a.example","upstream":{"nodes":{"%s":1}}}`, two))
	for _, tc := range []struct {
		path string
		code int
		want string
	}{{"/user/7", 200, "one"}, {"/user/7/", 200, "one"}, {"/user/x", 200, "two"}, {"/user", 404, ""}} {
		code, body := r.get("http://"+r.data+tc.path, "a.example")
		if code != tc.code || tc.want != "" && body != tc.want {
			t.Errorf("%s: got %d %q, want %d %q", tc.path, code, body, tc.code, tc.want)
		}
	}
}

func TestProxiesThatAreBelievedAreOptions(t *testing.T) {
	for _, engine := range []string{EngineLoop, EngineStd} {
		t.Run(engine, func(t *testing.T) {
			own := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
			r := startWith(t, engine, func(o *Options) { o.Peers = proxy.Peers{Trusted: own, RealIPFrom: own, RealIPHeader: "X-Client"} })
			one := backend(t, "one")
			r.put("/apisix", "routes/1", fmt.Sprintf(`{"uri":"/a","remote_addr":"192.0.2.9","vars":[["http_x_forwarded_proto","==","https"]],"upstream":{"nodes":{"%s":1}}}`, one))
			ask := func(client, proto string) int {
				t.Helper()
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.data+"/a", nil)
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("X-Client", client)
				req.Header.Set("X-Forwarded-Proto", proto)
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = resp.Body.Close() }()
				return resp.StatusCode
			}
			for _, tc := range []struct {
				client, proto string
				want          int
			}{{"192.0.2.9", "https", 200}, {"192.0.2.8", "https", 404}, {"192.0.2.9", "http", 404}, {"192.0.2.9", "https", 200}} {
				if got := ask(tc.client, tc.proto); got != tc.want {
					t.Errorf("%s by %s: %d, want %d", tc.client, tc.proto, got, tc.want)
				}
			}
		})
	}
}
