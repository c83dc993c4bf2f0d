package gateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/certs/certstest"
	"github.com/unilb/unilb/impl/control"
	"github.com/unilb/unilb/impl/explain"
)

func startControlled(t *testing.T) (*region, string) {
	at := freeAddr(t)
	keys, _, err := apisix.ParseKeyring("")
	if err != nil {
		t.Fatal(err)
	}
	r := startWith(t, EngineStd, func(o *Options) { o.ControlListen, o.Keyring = at, keys })
	return r, "http://" + at
}

func TestControlAPITellsObjectsInForceWithoutPrivateKeys(t *testing.T) {
	r, at := startControlled(t)
	cert, key := certstest.PEM(t, certstest.SelfSigned(t, "client.example"))
	text, err := json.Marshal(map[string]any{"nodes": map[string]int{"127.0.0.1:1": 1}, "scheme": "https",
		"tls": map[string]string{"client_cert": cert, "client_key": key}})
	if err != nil {
		t.Fatal(err)
	}
	r.put("/apisix", "upstreams/u", string(text))
	r.put("/apisix", "routes/1", `{"uri":"/a","upstream_id":"u"}`)
	r.put("/apisix", "plugin_metadata/http-logger", `{"log_format":{"h":"$host"}}`)
	code, body := r.get(at+"/v1/upstreams", "")
	if code != 200 || strings.Contains(body, "PRIVATE KEY") || !strings.Contains(body, `"client_key":"`) || !strings.Contains(body, `"id":"u"`) {
		t.Errorf("upstreams: got %d %s", code, body)
	}
	if _, body := r.get(at+"/v1/route/1", ""); !strings.Contains(body, `"uri":"/a"`) || !strings.Contains(body, `"key":"/apisix/routes/1"`) {
		t.Errorf("route: got %s", body)
	}
	if _, body := r.get(at+"/v1/plugin_metadata/http-logger", ""); !strings.Contains(body, `"value":{"id":"http-logger","log_format":{"h":"$host"}}`) {
		t.Errorf("metadata: got %s", body)
	}
	if _, body := r.get(at+"/v1/server_info", ""); !strings.Contains(body, `"etcd_version":"3.`) || !strings.Contains(body, `"id":"test/gw"`) {
		t.Errorf("server info: got %s", body)
	}
}

func TestControlAPITellsTheStatesOfCheckedTargets(t *testing.T) {
	r, at := startControlled(t)
	one := backend(t, "one")
	r.put("/apisix", "routes/1", fmt.Sprintf(`{"uri":"/a","upstream":{"nodes":{"%s":1,"127.0.0.1:1":1},"checks":{"active":{
		"http_path":"/","healthy":{"interval":1,"successes":1},"unhealthy":{"interval":1,"tcp_failures":1}}}}}`, one))
	for deadline := time.Now().Add(20 * time.Second); ; {
		_, body := r.get(at+"/v1/healthcheck/routes/1", "")
		var c control.Checker
		if err := json.Unmarshal([]byte(body), &c); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		states := map[string]string{}
		for _, n := range c.Nodes {
			states[fmt.Sprintf("%s:%d", n.IP, n.Port)] = n.Status.String()
		}
		if c.Name == "/apisix/routes/1" && states[one] == "healthy" && states["127.0.0.1:1"] == "unhealthy" && strings.Contains(body, `"tcp_failure":1`) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("got %s", body)
		}
		<-time.After(20 * time.Millisecond)
	}
}

func TestControlAPITellsTheAddressAndTheNameOfATargetThatIsNamed(t *testing.T) {
	r, at := startControlled(t)
	well, closed := strings.Replace(backend(t, "one"), "127.0.0.1", "localhost", 1), strings.Replace(freeAddr(t), "127.0.0.1", "localhost", 1)
	none := strings.Repeat("a", 64) // is longer than a name can be: nobody is asked for it
	r.put("/apisix", "upstreams/u", fmt.Sprintf(`{"nodes":{%q:1,%q:1,"%s:80":1,"127.0.0.1:1":1},"checks":{"active":{
		"http_path":"/","healthy":{"interval":1,"successes":1},"unhealthy":{"interval":1,"tcp_failures":1,"timeouts":1}}}}`, well, closed, none))
	want := map[string]string{
		well: "127.0.0.1 healthy localhost", closed: "127.0.0.1 unhealthy localhost", // by the first of its addresses, or by that which takes connections
		none + ":80": none + " unhealthy " + none, "127.0.0.1:1": "127.0.0.1 unhealthy ",
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		_, body := r.get(at+"/v1/healthcheck/upstreams/u", "")
		var c control.Checker
		if err := json.Unmarshal([]byte(body), &c); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		got := map[string]string{}
		for _, n := range c.Nodes {
			got[fmt.Sprintf("%s:%d", n.Hostname, n.Port)] = strings.Replace(fmt.Sprint(n.IP, " ", n.Status, " ", n.HostHeader), "::1", "127.0.0.1", 1)
		}
		if maps.Equal(got, want) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("got %v, want %v", got, want)
		}
		<-time.After(20 * time.Millisecond)
	}
}

func TestExplainTellsWhatARequestMeetsAndMovesNothing(t *testing.T) {
	r, at := startControlled(t)
	one, two := backend(t, "one"), backend(t, "two")
	r.put("/apisix", "upstreams/u", fmt.Sprintf(`{"nodes":{"%s":1,"%s":1}}`, one, two))
	r.put("/apisix", "routes/1", `{"uri":"/a*","upstream_id":"u"}`)
	names := map[string]string{one: "one", two: "two"}
	for range 6 {
		var a explain.Answer
		for range 2 {
			code, body := r.get(at+"/v1/explain?url=http://a.example/abc&remote=198.18.0.3&local="+r.data, "")
			if err := json.Unmarshal([]byte(body), &a); err != nil || code != 200 {
				t.Fatalf("%d %s: %v", code, body, err)
			}
		}
		next := a.Upstream.Next[0][0]
		if _, body := r.get("http://"+r.data+"/abc", ""); body != names[next] {
			t.Errorf("answered by %s, want %s, which was said to be next", body, names[next])
		}
		if a.Route.Key != "/apisix/routes/1" || a.Applied["/apisix"] < a.Objects[0].Modified || a.Objects[0].Modified == 0 {
			t.Errorf("got %+v", a)
		}
	}
	resp, err := http.Post(at+"/v1/explain", "", strings.NewReader("GET /b HTTP/1.1\r\nHost: a.example\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var a explain.Answer
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil || a.Generated == nil || a.Generated.Status != 404 {
		t.Errorf("got %+v, %v, want 404", a, err)
	}
	if code, body := r.get(at+"/v1/explain?url=nonsense", ""); code != 400 || !strings.Contains(body, `"error_msg"`) {
		t.Errorf("got %d %s, want 400", code, body)
	}
}
