package gateway

import (
	"fmt"
	"strings"
	"testing"
)

func TestPluginsThatAreNotRunAreListedForEveryRoute(t *testing.T) {
	r := start(t)
	one := backend(t, "one")
	r.put("/apisix", "services/s", `{"plugins":{"key-auth":{}}}`)
	r.put("/apisix", "routes/closed", fmt.Sprintf(`{"uri":"/closed","service_id":"s","plugins":{"gzip":{}},"upstream":{"nodes":{"%s":1}}}`, one))
	r.put("/apisix", "routes/open", fmt.Sprintf(`{"uri":"/open","plugins":{"gzip":{}},"upstream":{"nodes":{"%s":1}}}`, one))
	if code, body := r.get("http://"+r.data+"/closed", ""); code != 503 || !strings.Contains(body, "plugin key-auth is not supported") {
		t.Errorf("the closed route: got %d %s", code, body)
	}
	if code, body := r.get("http://"+r.data+"/open", ""); code != 200 || body != "one" {
		t.Errorf("the open route: got %d %s", code, body)
	}
	_, body := r.get("http://"+r.status+"/status/config", "")
	const want = `"plugins_not_run":{"/apisix/routes/closed":{"closed_by":["key-auth"],"skipped":["gzip"]},"/apisix/routes/open":{"skipped":["gzip"]}}`
	if !strings.Contains(body, want) {
		t.Errorf("got %s, want it to have %s", body, want)
	}
	if !strings.Contains(body, `"refused":{}`) {
		t.Errorf("something is refused: %s", body)
	}
}
