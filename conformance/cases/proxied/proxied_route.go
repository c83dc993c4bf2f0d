package proxied

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that tells backends of the client and chooses routes by the proxy: all
// who come through it have the rights of its address. And one that lets strangers choose.
var proxiedRoute = spec.Case{
	ID: "PROXIED-ROUTE", Level: spec.Must, Needs: []spec.Feature{spec.ProxyRealIP}, Env: places,
	Title:    "remote_addrs and the variable remote_addr are about the client whom a believed proxy names, realip_remote_addr about the proxy; what others say of themselves changes no route.",
	Refs:     []string{"APISIX 3.18 route.remote_addr, after the realip module", "nginx ngx_http_realip_module, $realip_remote_addr"},
	After:    []string{"PROXIED-CLIENT"},
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		by := addressOf(ctx, t, proxy(t))
		put := func(name, uri, more string, backend int) {
			t.Put(ctx, "routes/"+t.Name(name), t.Render(fmt.Sprintf(`{"host": "{{.Host}}", "uri": "%s", %s"upstream": {"type": "roundrobin", "nodes": {"{{index .Backends %d}}": 1}}}`, uri, more, backend)))
		}
		put("one", "/one", `"remote_addr": "192.0.2.66", `, 0)
		put("net", "/net", `"remote_addrs": ["2001:db8::/32", "192.0.2.64/30"], `, 0)
		put("by", "/by", fmt.Sprintf(`"remote_addr": "%s", `, by), 0)
		put("var", "/var", `"vars": [["remote_addr", "==", "192.0.2.66"]], `, 0)
		put("peer", "/peer", fmt.Sprintf(`"vars": [["realip_remote_addr", "==", "%s"]], `, by), 0)
		put("rest", "/*", "", 1)
		t.Wait(ctx)
		h, client, other := t.Host(), with("X-Real-IP", "192.0.2.66"), with("X-Real-IP", "198.51.100.1")
		ask.RouteFrom(ctx, t, proxy(t),
			ask.Expect{Host: h, Target: "/one", Header: client, Want: 0, Why: "the client's address"},
			ask.Expect{Host: h, Target: "/one", Header: other, Want: 1, Why: "another client"},
			ask.Expect{Host: h, Target: "/one", Want: 1, Why: "the proxy itself"},
			ask.Expect{Host: h, Target: "/net", Header: client, Want: 0, Why: "a network of clients"},
			ask.Expect{Host: h, Target: "/net", Header: with("X-Real-IP", "2001:db8::1"), Want: 0, Why: "a network of the other family"},
			ask.Expect{Host: h, Target: "/net", Header: other, Want: 1, Why: "outside the networks"},
			ask.Expect{Host: h, Target: "/by", Want: 0, Why: "the proxy itself"},
			ask.Expect{Host: h, Target: "/by", Header: client, Want: 1, Why: "a client of the proxy is not the proxy"},
			ask.Expect{Host: h, Target: "/var", Header: client, Want: 0, Why: "remote_addr is the client's"},
			ask.Expect{Host: h, Target: "/var", Header: other, Want: 1, Why: "remote_addr of another client"},
			ask.Expect{Host: h, Target: "/peer", Header: client, Want: 0, Why: "realip_remote_addr is the proxy's"},
		)
		ask.RouteFrom(ctx, t, stranger(t),
			ask.Expect{Host: h, Target: "/one", Header: client, Want: 1, Why: "not a proxy"},
			ask.Expect{Host: h, Target: "/net", Header: client, Want: 1, Why: "not a proxy"},
			ask.Expect{Host: h, Target: "/by", Header: with("X-Real-IP", by.String()), Want: 1, Why: "not a proxy, though he names it"},
			ask.Expect{Host: h, Target: "/var", Header: client, Want: 1, Why: "not a proxy"},
			ask.Expect{Host: h, Target: "/peer", Header: with("X-Real-IP", by.String()), Want: 1, Why: "his own address"},
		)
	},
}
