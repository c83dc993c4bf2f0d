package cases

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/conformance/suite"
)

func TestDeclarationsAreComplete(t *testing.T) {
	if err := suite.Validate(All()); err != nil {
		t.Fatal(err)
	}
	for _, c := range All() {
		if c.Objects != "" {
			if n := len(txtar.Parse([]byte(c.Objects)).Files); n == 0 {
				t.Errorf("%s: its archive holds no objects", c.ID)
			}
		}
		if !strings.HasSuffix(c.Title, ".") {
			t.Errorf("%s: the title is not a sentence: %q", c.ID, c.Title)
		}
	}
}

// TestCasesNeedWhatTheirObjectsUse: whoever does not claim a feature must not be
// judged by objects that hold it.
func TestCasesNeedWhatTheirObjectsUse(t *testing.T) {
	uses := map[string]spec.Feature{
		`"methods"`: spec.RouteMethods, `"priority"`: spec.RoutePriority, `"vars": [`: spec.RouteVars, `"remote_addr": `: spec.RouteRemoteAddr, `"remote_addrs": `: spec.RouteRemoteAddr,
		`"checks"`: spec.ActiveChecks, `"chash"`: spec.UpstreamChash, `"least_conn"`: spec.UpstreamLeastConn, `"enable_websocket": true`: spec.WebSocket,
	}
	for _, c := range All() {
		router := slices.Contains(c.Needs, spec.RouterURI) || slices.Contains(c.Needs, spec.RouterParameter)
		proxied := slices.Contains(c.Needs, spec.ProxyRealIP) || slices.Contains(c.Needs, spec.ProxyTrusted)
		for text, f := range uses {
			if router && slices.Contains([]spec.Feature{spec.RouteMethods, spec.RoutePriority, spec.RouteVars}, f) {
				continue // a router has these
			}
			if proxied && slices.Contains([]spec.Feature{spec.RouteVars, spec.RouteRemoteAddr}, f) {
				continue // so has who believes proxies
			}
			if strings.Contains(c.Objects, text) && !slices.Contains(c.Needs, f) {
				t.Errorf("%s: its objects hold %s, and it does not need %s", c.ID, text, f)
			}
		}
	}
}
