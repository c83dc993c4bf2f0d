package gateway

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/store"
)

// Another gateway says that it has something else in force at our revision: that is a
// metric, and stands at /status with both hashes, until it says otherwise.
func TestDriftIsAMetricAndAStatus(t *testing.T) {
	r := startWith(t, EngineStd, func(o *Options) { o.CompareEvery = 10 * time.Millisecond })
	r.put("/apisix", "routes/1", `{"uri":"/","upstream":{"nodes":{"127.0.0.1:1":1}}}`)
	var now struct {
		Applied map[string]int64
		Hash    map[string]store.Hash
	}
	_, body := r.get("http://"+r.status+"/status/applied", "")
	if err := json.Unmarshal([]byte(body), &now); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	says := func(hash store.Hash) {
		t.Helper()
		reg := node.Registration{Name: "test/other", Kind: "l7gw", Watches: []string{"/apisix"}, State: node.Serving}
		report := node.Report{Name: "test/other", Kind: "l7gw", Applied: now.Applied, Hash: map[string]store.Hash{"/apisix": hash}}
		for key, v := range map[string]any{node.RegistryKey("l7gw", "test/other"): reg, node.ReportKey("l7gw", "test/other"): report} {
			b, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.st.Commit(t.Context(), nil, store.Op{Key: key, Value: b}); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.await(0, "unilb_config_drift", "prefix", "/apisix")
	says(now.Hash["/apisix"])
	r.await(1, "unilb_config_drift_compared", "prefix", "/apisix")
	if got := value(r.scrape(), "unilb_config_drift", "prefix", "/apisix"); got != 0 {
		t.Errorf("an equal gateway counts as %v drifts, want 0", got)
	}
	says(now.Hash["/apisix"] + 1)
	r.await(1, "unilb_config_drift", "prefix", "/apisix")
	_, body = r.get("http://"+r.status+"/status", "")
	for _, want := range []string{`"node":"test/other"`, `"hash":"` + (now.Hash["/apisix"] + 1).String() + `"`, `"ours":"` + now.Hash["/apisix"].String() + `"`} {
		if _, drift, _ := strings.Cut(body, `"drift":`); !strings.Contains(drift, want) {
			t.Errorf("GET /status: got %s, want %s in drift", body, want)
		}
	}
	says(now.Hash["/apisix"])
	r.await(0, "unilb_config_drift", "prefix", "/apisix")
}
