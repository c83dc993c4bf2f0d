package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/store"
)

// junk is what somebody may write straight into etcd.
var junk = map[string]string{
	"nothing":          "",
	"no JSON":          "\x00\xff{]",
	"half":             `{"uri":"/`,
	"a number":         "17",
	"a list":           "[]",
	"null":             "null",
	"wrong types":      `{"uri":1,"uris":{},"hosts":"x","nodes":"x","upstream":[],"plugins":7,"cert":{},"sni":[],"address":9,"port":"x","protocol":[]}`,
	"null members":     `{"uri":null,"nodes":null,"upstream":null,"cert":null,"address":null,"port":null,"protocol":null}`,
	"deep":             strings.Repeat(`{"upstream":`, 20000) + "1" + strings.Repeat("}", 20000),
	"huge numbers":     `{"uri":"/*","priority":1e999999999,"upstream":{"nodes":{"127.0.0.1:80":99999999999999999999}},"nodes":{"127.0.0.1:99999999":1},"port":-1,"address":"1.2.3.4","protocol":"http"}`,
	"a megabyte":       strings.Repeat("x", 1<<20),
	"a megabyte of it": `{"uri":7,"nodes":"` + strings.Repeat("x", 1<<20) + `","upstream":"` + strings.Repeat("y", 100<<10) + `"}`,
}

func TestJunkStraightIntoEtcdStopsNothingElse(t *testing.T) {
	r := start(t)
	one := backend(t, "one")
	var want []string
	write := func(key, value string) int64 {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		rev, err := r.st.Commit(ctx, nil, store.Op{Key: key, Value: []byte(value)})
		if err != nil {
			t.Fatal(err)
		}
		return rev
	}
	for _, dir := range []string{"/apisix/routes", "/apisix/services", "/apisix/upstreams", "/apisix/ssls", "/apisix/plugin_configs", "/apisix/consumer_groups", "/apisix/consumers",
		"/apisix/consumers/jack/credentials", "/apisix/global_rules", ListenersPrefix} {
		for name, value := range junk {
			key := dir + "/" + strings.ReplaceAll(name, " ", "-")
			write(key, value)
			// All members of a service may be missing, and unknown ones count for nothing.
			if dir != "/apisix/services" || !strings.HasPrefix(value, "{") || name == "half" {
				want = append(want, key)
			}
		}
	}
	for _, key := range []string{"/apisix/unknown_dir/x", "/apisix/routes/a/b/c", "/apisix/x", "/apisix//", "/apisix/routes/\xff\xfe\n\"", "/unilb/listeners/a/b"} {
		write(key, "\x00junk")
	}
	r.put(ListenersPrefix, "a/c", "junk, too, and the last") // each prefix has its watch
	for n := range 3 {                                       // what comes after is in force, again and again
		host := fmt.Sprintf("h%d.example", n)
		r.put("/apisix", fmt.Sprintf("routes/good%d", n), `{"uri":"/*","host":"`+host+`","upstream":{"nodes":{"`+one+`":1}}}`)
		if status, body := r.get("http://"+r.data+"/", host); status != 200 || body != "one" {
			t.Errorf("%s: %d %q", host, status, body)
		}
	}
	var config struct {
		Objects struct{ Routes int }
		Refused map[string]string
	}
	_, body := r.get("http://"+r.status+"/status/config", "")
	if err := json.Unmarshal([]byte(body), &config); err != nil {
		t.Fatal(err)
	}
	for _, key := range want {
		if config.Refused[key] == "" {
			t.Errorf("%s is not listed as refused", key)
		}
		if n := len(config.Refused[key]); n > 1000 {
			t.Errorf("%s: the error has %d bytes", key, n)
		}
	}
	if config.Objects.Routes != 3 {
		t.Errorf("%d routes in force, want the 3 good ones", config.Objects.Routes)
	}
	if got := value(r.scrape(), "unilb_config_objects_refused"); int(got) != len(config.Refused) {
		t.Errorf("metric says %g, the status %d", got, len(config.Refused))
	}
	if got := len(r.scrape()["unilb_config_object_refused"].GetMetric()); got != min(badKeys, len(config.Refused)) {
		t.Errorf("%d objects are named in metrics, want all %d up to %d", got, len(config.Refused), badKeys)
	}
	r.reported(node.ReportKey("l7gw", "test/gw"))
}

// reported waits until the report in etcd lists objects that are refused.
func (r *region) reported(key string) {
	r.t.Helper()
	for limit := time.Now().Add(20 * time.Second); time.Now().Before(limit); <-time.After(10 * time.Millisecond) {
		kv, _, _, err := r.st.Get(r.t.Context(), key)
		if err != nil {
			r.t.Fatal(err)
		}
		var report struct{ Errors []struct{ Key, Error string } }
		if json.Unmarshal(kv.Value, &report) == nil && len(report.Errors) > 0 {
			return
		}
	}
	r.t.Fatal("the report in etcd lists no object that is refused")
}
