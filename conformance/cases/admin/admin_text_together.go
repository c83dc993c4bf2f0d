package admin

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that stores half a pair, or two things of which one is ignored.
var adminTextTogether = spec.Case{
	ID: "ADMIN-TEXT-TOGETHER", Level: spec.Must, Needs: []spec.Feature{spec.AdminTexts, spec.AdminSSL},
	Title: "What is worth nothing alone is refused without the other, and a script beside plugins is refused.",
	Refs:  []string{"APISIX 3.18 Admin API, validation messages", "APISIX 3.18 Admin API, field schemas: upstream.tls, ssl, route.script"},
	After: []string{"ADMIN-BAD-BODY"},
	Run: func(ctx context.Context, t *spec.T) {
		const (
			inv    = "invalid configuration: "
			tls    = inv + `property "tls" validation failed: failed to validate dependent schema for `
			cert   = `"$secret://vault/1/tls/crt"`
			key    = `"$secret://vault/1/tls/key"`
			script = `"script":"local _M = {} function _M.access(api_ctx) end return _M"`
		)
		upstream, ssl, route := "/upstreams/"+t.Name("u"), "/ssls/"+t.Name("s"), "/routes/"+t.Name("r")
		refusedWith(ctx, t,
			no{put(upstream, `{"nodes":{"192.0.2.1:80":1},"tls":{"client_cert":`+cert+`}}`), tls + `"client_cert": property "client_key" is required`},
			no{put(upstream, `{"nodes":{"192.0.2.1:80":1},"tls":{"client_key":`+key+`}}`), tls + `"client_key": property "client_cert" is required`},
			no{put(ssl, `{"cert":`+cert+`,"key":`+key+`}`), inv + "then clause did not match"},
			no{put(ssl, `{"type":"server","sni":"a.example","cert":`+cert+`}`), inv + "then clause did not match"},
			no{put(ssl, `{"sni":"a.example","snis":["b.example"],"cert":`+cert+`,"key":`+key+`}`), inv + "then clause did not match"},
			no{put(ssl, `{"type":"client","cert":`+cert+`}`), inv + "else clause did not match"},
			no{put(route, `{"uri":"/a","plugins":{},`+script+`}`), inv + "value wasn't supposed to match schema"},
			no{put(route, `{"uri":"/a","plugin_config_id":"1",`+script+`}`), inv + "value wasn't supposed to match schema"},
		)
	},
}
