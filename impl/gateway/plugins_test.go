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
	r.put("/apisix", "global_rules/all", `{"id":"all","plugins":{"ip-restriction":{"whitelist":["192.0.2.1"]}}}`)
	if code, body := r.get("http://"+r.data+"/open", ""); code != 503 || !strings.Contains(body, "plugin ip-restriction is not supported") {
		t.Errorf("under a global rule: got %d %s", code, body)
	}
	if _, body := r.get("http://"+r.status+"/status/config", ""); !strings.Contains(body, `"/apisix/global_rules/all":{"closed_by":["ip-restriction"]}`) {
		t.Errorf("got %s, want the global rule in it", body)
	}
	r.put("/apisix", "global_rules/all", "")
	if code, body := r.get("http://"+r.data+"/open", ""); code != 200 {
		t.Errorf("without the global rule: got %d %s", code, body)
	}
}
