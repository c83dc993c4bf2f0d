package control

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/health"
)

type checkers []Checker

func (c checkers) Checkers() []Checker { return append([]Checker(nil), c...) }
func (c checkers) Checker(key string) (Checker, bool) {
	for _, one := range c {
		if one.Key == key {
			return one, true
		}
	}
	return Checker{}, false
}

func put(k config.Kind, key, value string, create, mod int64) config.Change {
	return config.Change{Kind: k, ID: key[strings.LastIndexByte(key, '/')+1:], Key: key, Value: []byte(value), Create: create, Mod: mod}
}

const up = `{"nodes":{"10.0.0.1:80":1}}`

func serve(t *testing.T, h Health, changes ...config.Change) http.Handler {
	t.Helper()
	snap, d := (&config.Snapshot{}).Apply(changes)
	for key, err := range d.Refused {
		t.Fatalf("%s refused: %v", key, err)
	}
	return New(Options{
		Prefix: "/apisix", Snapshot: func() *config.Snapshot { return snap }, Health: h,
		Shown: func(_ config.Kind, _ string, v []byte) ([]byte, bool) {
			return v, !strings.Contains(string(v), "PRIVATE")
		},
		EtcdVersion: func(context.Context) (string, error) { return "", errors.New("away") },
		Server:      ServerInfo{ID: "bj/az1/l7-1", Hostname: "host", Version: "devel", Boot: time.Unix(1700000000, 0)},
	})
}

func ask(t *testing.T, h http.Handler, method, path string, accept ...string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for _, a := range accept {
		r.Header.Set("Accept", a)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, strings.TrimSuffix(w.Body.String(), "\n")
}

func TestObjectsAreToldAsAWorkerOfAPISIXHoldsThem(t *testing.T) {
	h := serve(t, checkers{},
		put(config.Routes, "/apisix/routes/b", `{"uri":"/b","id":"b","upstream":`+up+`}`, 3, 4),
		put(config.Routes, "/apisix/routes/a", `{ "uri":"/a<", "upstream":`+up+`}`, 5, 5),
		put(config.Routes, "/apisix/routes/a", `{ "uri":"/a<", "upstream":`+up+`}`, 5, 6),
		put(config.PluginMetadata, "/apisix/plugin_metadata/http-logger", `{"log_format":{"h":"$host"},"id":"http-logger"}`, 7, 8))
	const a = `{"key":"/apisix/routes/a","value":{"id":"a","upstream":` + up + `,"uri":"/a<"},"createdIndex":5,"modifiedIndex":6,"update_count":1}`
	const b = `{"key":"/apisix/routes/b","value":{"uri":"/b","id":"b","upstream":` + up + `},"createdIndex":3,"modifiedIndex":4,"update_count":0}`
	const m = `{"key":"/apisix/plugin_metadata/http-logger","value":{"log_format":{"h":"$host"},"id":"http-logger"},"createdIndex":7,"modifiedIndex":8,` +
		`"update_count":0,"id":"http-logger","log_format":{"h":"$host"}}`
	for _, tc := range []struct {
		path string
		code int
		want string
	}{
		{"/v1/routes", 200, "[" + a + "," + b + "]"},
		{"/v1/route/a", 200, a},
		{"/v1/route/x", 404, `{"error_msg":"route[x] not found"}`},
		{"/v1/services", 200, "[]"},
		{"/v1/service/x", 404, `{"error_msg":"service[x] not found"}`},
		{"/v1/upstreams", 200, "[]"},
		{"/v1/upstream/x", 404, `{"error_msg":"upstream[x] not found"}`},
		{"/v1/plugin_metadatas", 200, "[" + m + "]"},
		{"/v1/plugin_metadata/http-logger", 200, m},
		{"/v1/plugin_metadata/x", 404, `{"error_msg":"plugin metadata[x] not found"}`},
		{"/v1/nothing", 404, `{"error_msg":"404 Not Found"}`},
		{"/v1/discovery/eureka/dump", 404, `{"error_msg":"discovery eureka is not configured"}`},
	} {
		if code, got := ask(t, h, "GET", tc.path); code != tc.code || got != tc.want {
			t.Errorf("%s: got %d %s\nwant %d %s", tc.path, code, got, tc.code, tc.want)
		}
	}
}

func TestAnObjectWhosePrivateKeyIsInClearIsNotShown(t *testing.T) {
	h := serve(t, checkers{}, put(config.Upstreams, "/apisix/upstreams/1", `{"desc":"PRIVATE","nodes":{"10.0.0.1:80":1}}`, 1, 1))
	if _, got := ask(t, h, "GET", "/v1/upstreams"); strings.Contains(got, "PRIVATE") || !strings.Contains(got, `"value":{"id":"1"}`) {
		t.Errorf("got %s", got)
	}
}

func checked() (checkers, []config.Change) {
	const checks = `{"nodes":{"10.0.0.1:80":1},"checks":{"active":{"http_path":"/"}}}`
	return checkers{{Key: "upstreams/1", Type: "http", Nodes: []Node{
			{IP: "10.0.0.1", Port: 80, Hostname: "10.0.0.1", Status: health.Healthy},
			{IP: "10.0.0.2", Port: 80, Hostname: "a.example", HostHeader: "a.example", Status: health.Unhealthy, Counter: health.Counters{HTTPFailure: 5}},
		}}, {Key: "routes/1", Type: "tcp", Nodes: []Node{}}}, []config.Change{
			put(config.Upstreams, "/apisix/upstreams/1", checks, 1, 1), put(config.Upstreams, "/apisix/upstreams/2", up, 1, 1),
			put(config.Routes, "/apisix/routes/1", `{"uri":"/","upstream":`+checks+`}`, 1, 1),
		}
}

func TestHealthcheckTellsEveryTargetAndWhyThereIsNone(t *testing.T) {
	c, changes := checked()
	h := serve(t, c, changes...)
	const one = `{"name":"/apisix/upstreams/1","type":"http","nodes":[` +
		`{"ip":"10.0.0.1","port":80,"hostname":"10.0.0.1","status":"healthy","counter":{"success":0,"http_failure":0,"tcp_failure":0,"timeout_failure":0}},` +
		`{"ip":"10.0.0.2","port":80,"hostname":"a.example","hostheader":"a.example","status":"unhealthy","counter":{"success":0,"http_failure":5,"tcp_failure":0,"timeout_failure":0}}]}`
	for _, tc := range []struct {
		path string
		code int
		want string
	}{
		{"/v1/healthcheck", 200, `[{"name":"/apisix/routes/1","type":"tcp","nodes":[]},` + one + `]`},
		{"/v1/healthcheck/upstreams/1", 200, one},
		{"/v1/healthcheck/upstreams/2", 404, `{"error_msg":"no checker for upstreams[2]"}`},
		{"/v1/healthcheck/upstreams/3", 404, `{"error_msg":"upstreams[3] not found"}`},
		{"/v1/healthcheck/stream_routes/1", 404, `{"error_msg":"stream_routes[1] not found"}`},
		{"/v1/healthcheck/route/1", 400, `{"error_msg":"invalid src type route"}`},
		{"/v1/healthcheck/routes", 400, `{"error_msg":"missing src id for src type routes"}`},
		{"/v1/healthcheck/routes/", 400, `{"error_msg":"missing src id for src type routes"}`},
	} {
		if code, got := ask(t, h, "GET", tc.path); code != tc.code || got != tc.want {
			t.Errorf("%s: got %d %s\nwant %d %s", tc.path, code, got, tc.code, tc.want)
		}
	}
	if _, got := ask(t, serve(t, checkers(nil)), "GET", "/v1/healthcheck"); got != "[]" {
		t.Errorf("without checks: got %s, want []", got)
	}
}

func TestHealthcheckAsAPageHasARowForEachTarget(t *testing.T) {
	c, changes := checked()
	h := serve(t, c, changes...)
	for _, path := range []string{"/v1/healthcheck", "/v1/healthcheck/upstreams/1"} {
		_, page := ask(t, h, "GET", path, "text/html,application/xhtml+xml")
		var doc struct {
			Rows []struct {
				Cells []string `xml:"td"`
			} `xml:"body>table>tr"`
		}
		if err := xml.Unmarshal([]byte(page), &doc); err != nil {
			t.Fatalf("%s: %v in %s", path, err, page)
		}
		const want = "[2 /apisix/upstreams/1 http 10.0.0.2:80 unhealthy 0 0 5 0]"
		if len(doc.Rows) != 3 || fmt.Sprint(doc.Rows[2].Cells) != want {
			t.Errorf("%s: got %v, want the last row %s", path, doc.Rows, want)
		}
	}
}

func TestSchemasAreThoseOfEveryKindAndPlugin(t *testing.T) {
	_, text := ask(t, serve(t, checkers{}), "GET", "/v1/schema")
	var got struct {
		Main, Stream map[string]map[string]any
		Plugins      map[string]struct {
			Priority, Version float64
			Schema            map[string]any
			Type              string
			ConsumerSchema    map[string]any `json:"consumer_schema"`
			MetadataSchema    map[string]any `json:"metadata_schema"`
		}
		StreamPlugins map[string]any `json:"stream_plugins"`
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"consumer", "global_rule", "plugins", "proto", "route", "service", "ssl", "stream_route", "upstream"} {
		if len(got.Main[kind]) == 0 {
			t.Errorf("no schema of %s", kind)
		}
	}
	k := got.Plugins["key-auth"]
	if k.Priority != 2500 || k.Version == 0 || k.Type != "auth" || len(k.Schema) == 0 || len(k.ConsumerSchema) == 0 {
		t.Errorf("key-auth: got %+v", k)
	}
	if len(got.Plugins["http-logger"].MetadataSchema) == 0 || got.StreamPlugins["ip-restriction"] == nil {
		t.Errorf("no metadata schema of http-logger, or no stream plugin ip-restriction")
	}
}

func TestVerbsOfTheControlAPI(t *testing.T) {
	h := serve(t, checkers{})
	for _, tc := range []struct {
		method, path string
		code         int
		want         string
	}{
		{"POST", "/v1/gc", 200, ""},
		{"PUT", "/v1/plugins/reload", 200, "done"},
		{"GET", "/v1/server_info", 200, `{"id":"bj/az1/l7-1","hostname":"host","version":"3.18.0","build":"devel","boot_time":1700000000,"etcd_version":"unknown"}`},
	} {
		if code, got := ask(t, h, tc.method, tc.path); code != tc.code || got != tc.want {
			t.Errorf("%s %s: got %d %s, want %d %s", tc.method, tc.path, code, got, tc.code, tc.want)
		}
	}
	if code, _ := ask(t, h, "GET", "/v1/plugins/reload"); code == 200 {
		t.Error("GET reloads plugins")
	}
}
