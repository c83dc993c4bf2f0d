package gateway

import (
	"fmt"
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
