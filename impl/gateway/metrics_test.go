package gateway

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// scrape reads /metrics with the parser of Prometheus.
func (r *region) scrape() map[string]*dto.MetricFamily {
	r.t.Helper()
	resp, err := http.Get("http://" + r.status + "/metrics")
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	if kind := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || !strings.HasPrefix(kind, "text/plain; version=0.0.4") {
		r.t.Fatalf("answer %d of type %q", resp.StatusCode, kind)
	}
	p := expfmt.NewTextParser(model.LegacyValidation)
	families, err := p.TextToMetricFamilies(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return families
}

// value is the sum of the metrics of a family whose labels include these; of a
// histogram its count. 0 when there is none.
func value(f map[string]*dto.MetricFamily, name string, labels ...string) float64 {
	sum := 0.0
	for _, m := range f[name].GetMetric() {
		if !has(m, labels) {
			continue
		}
		switch {
		case m.Counter != nil:
			sum += m.Counter.GetValue()
		case m.Gauge != nil:
			sum += m.Gauge.GetValue()
		case m.Histogram != nil:
			sum += float64(m.Histogram.GetSampleCount())
		}
	}
	return sum
}

func has(m *dto.Metric, labels []string) bool {
	is := map[string]string{}
	for _, l := range m.Label {
		is[l.GetName()] = l.GetValue()
	}
	for i := 0; i < len(labels); i += 2 {
		if v, ok := is[labels[i]]; !ok || v != labels[i+1] {
			return false
		}
	}
	return true
}

// await scrapes until a value is what it should be: a client has its answer a moment
// before the exchange ends.
func (r *region) await(want float64, name string, labels ...string) {
	r.t.Helper()
	got := 0.0
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); <-time.After(time.Millisecond) {
		if got = value(r.scrape(), name, labels...); got == want {
			return
		}
	}
	r.t.Fatalf("%s%v is %v, want %v", name, labels, got, want)
}

func engines(t *testing.T, f func(t *testing.T, engine string)) {
	for _, e := range []string{EngineStd, EngineLoop} {
		t.Run(e, func(t *testing.T) { f(t, e) })
	}
}

func TestScrapeTellsWhatWasServed(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		r := startWith(t, engine, func(o *Options) { o.Loops = 2 })
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_, _ = io.Copy(w, req.Body)
		}))
		defer s.Close()
		dead := freeAddr(t)
		r.put("/apisix", "services/s", `{"hosts":["shop.example"]}`)
		r.put("/apisix", "routes/echo", `{"uri":"/echo","host":"shop.example","service_id":"s","upstream":{"nodes":{"`+s.Listener.Addr().String()+`":1}}}`)
		r.put("/apisix", "routes/dead", `{"uri":"/dead","upstream":{"nodes":{"`+dead+`":1},"retries":2}}`)
		for range 20 {
			req, _ := http.NewRequest(http.MethodPost, "http://"+r.data+"/echo", strings.NewReader("12345"))
			req.Host, req.Close = "shop.example", true // loops have their connections from the kernel
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
		for range 3 {
			r.get("http://"+r.data+"/dead", "")
		}
		r.get("http://"+r.data+"/nowhere", "")
		r.await(20, "apisix_http_status", "code", "201", "route", "echo", "service", "s", "node", "127.0.0.1", "matched_uri", "/echo", "matched_host", "shop.example",
			"consumer", "", "request_type", "traditional_http", "request_llm_model", "", "llm_model", "", "response_source", "upstream")
		r.await(3, "apisix_http_status", "code", "502", "route", "dead", "response_source", "apisix")
		r.await(1, "apisix_http_status", "code", "404", "route", "", "service", "", "node", "", "matched_uri", "")
		r.await(24, "apisix_http_status")
		r.await(24, "apisix_http_requests_total")
		r.await(24, "apisix_nginx_http_current_connections", "state", "total")
		r.await(20, "apisix_http_latency", "type", "request", "route", "echo")
		r.await(20, "apisix_http_latency", "type", "upstream", "route", "echo")
		r.await(20, "apisix_http_latency", "type", "apisix", "route", "echo", "service", "s")
		r.await(3, "apisix_http_latency", "type", "upstream", "route", "dead")
		r.await(100, "apisix_bandwidth", "type", "ingress", "route", "echo")
		r.await(100, "apisix_bandwidth", "type", "egress", "route", "echo", "node", "127.0.0.1")
		r.await(6, "unilb_upstream_retries_total", "route", "dead", "node", "127.0.0.1")
		r.await(9, "unilb_upstream_failures_total", "kind", "connect_failed", "route", "dead", "node", "127.0.0.1")
		r.await(0, "unilb_http_requests_in_flight")
		if n := value(r.scrape(), "unilb_connections_accepted_total"); n < 21 {
			t.Errorf("%v connections accepted, want at least 21", n)
		}
		r.put("/apisix", "routes/echo", "")
		r.await(0, "apisix_http_status", "route", "echo")
		r.await(24, "apisix_http_requests_total")
	})
}

func TestScrapeTellsTheStateOfTheGateway(t *testing.T) {
	r := start(t)
	one := backend(t, "one")
	host, port, _ := net.SplitHostPort(one)
	r.put("/apisix", "upstreams/u", fmt.Sprintf(`{"nodes":{"%s":1},"checks":{"active":{"type":"tcp"}}}`, one))
	r.put("/apisix", "routes/bad", `{"uri":"/*","plugins":{"key-auth":{"header":1}}}`)
	r.put("/unilb/listeners", "a", `{"id":"a","address":"127.0.0.1","port":`+strings.Split(freeAddr(t), ":")[1]+`,"protocol":"http"}`)
	f := r.scrape()
	for _, c := range []struct {
		want   float64
		name   string
		labels []string
	}{
		{1, "apisix_upstream_status", []string{"name", "/apisix/upstreams/u", "ip", host, "port", port}},
		{1, "unilb_config_objects", []string{"kind", "upstreams"}},
		{1, "unilb_config_objects", []string{"kind", "listeners"}},
		{1, "unilb_config_objects_refused", nil},
		{1, "unilb_config_object_refused", []string{"key", "/apisix/routes/bad"}},
		{1, "apisix_node_info", []string{"hostname", hostname}},
		{1, "apisix_etcd_reachable", nil},
		{0, "unilb_draining", nil},
	} {
		if got := value(f, c.name, c.labels...); got != c.want || f[c.name] == nil {
			t.Errorf("%s%v is %v, want %v", c.name, c.labels, got, c.want)
		}
	}
	applied, newest := value(f, "unilb_config_revision", "prefix", "/apisix"), value(f, "apisix_etcd_modify_indexes", "key", "upstreams")
	if newest == 0 || applied <= newest-1 || value(f, "apisix_etcd_modify_indexes", "key", "x_etcd_index") != applied ||
		value(f, "apisix_etcd_modify_indexes", "key", "max_modify_index") != applied {
		t.Errorf("revision %v, of upstreams %v: %v", applied, newest, f["apisix_etcd_modify_indexes"])
	}
	for name, help := range f {
		if help.GetHelp() == "" {
			t.Errorf("%s has no help", name)
		}
	}
	for _, name := range []string{"go_goroutines", "process_open_fds"} {
		if value(f, name) == 0 {
			t.Errorf("%s is not there", name)
		}
	}
	if status, body := r.get("http://"+r.status+"/apisix/prometheus/metrics", ""); status != 200 || !strings.Contains(body, "apisix_node_info{") {
		t.Errorf("where APISIX has it: %d", status)
	}
}

func TestScrapeTellsWhatTheEngineRefusedAndWhoHolds(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		r := startWith(t, engine)
		c, err := net.Dial("tcp", r.data)
		if err != nil {
			t.Fatal(err)
		}
		r.await(1, "apisix_nginx_http_current_connections", "state", "active")
		r.await(1, "apisix_nginx_http_current_connections", "state", "waiting")
		say(t, c, "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n")
		c2, err := net.Dial("tcp", r.data)
		if err != nil {
			t.Fatal(err)
		}
		say(t, c2, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
		reason := map[string]string{EngineStd: "malformed", EngineLoop: "length_and_coding"}[engine]
		r.await(1, "unilb_http_refused_total", "reason", reason)
		r.await(0, "apisix_nginx_http_current_connections", "state", "active")
	})
}

// say sends a request, waits for an answer to begin, and closes the connection.
func say(t *testing.T, c net.Conn, request string) {
	t.Helper()
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 100)); err != nil {
		t.Errorf("no answer: %v", err)
	}
}

func TestScrapeTellsHandshakesWithClients(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		r := startWith(t, engine)
		r.put("/apisix", "ssls/a", sslObject(t, "a.example"))
		for range 3 {
			if status, _, err := over(t, r.secure, "a.example"); err != nil || status != 404 {
				t.Fatalf("answer %d, %v", status, err)
			}
		}
		if _, _, err := over(t, r.secure, "b.example"); err == nil {
			t.Fatal("a name that nobody has is served")
		}
		r.await(1, "unilb_tls_handshakes_total", "result", "failed")
		r.await(3, "unilb_tls_handshakes_total", "result", "done")
	})
}

func TestScrapeTellsWhichCertificatesEndFirst(t *testing.T) {
	r := start(t)
	r.put("/apisix", "ssls/a", sslObject(t, "a.example")) // for an hour
	r.put("/apisix", "ssls/off", strings.Replace(sslObject(t, "b.example"), `{`, `{"status":0,`, 1))
	f := r.scrape()
	ends := time.Unix(int64(value(f, "unilb_certificate_expiry_timestamp_seconds", "id", "a")), 0)
	if left := time.Until(ends); left < 50*time.Minute || left > time.Hour {
		t.Errorf("ends in %v, want an hour", left)
	}
	if n := len(f["unilb_certificate_expiry_timestamp_seconds"].GetMetric()); n != 1 {
		t.Errorf("%d certificates, want the one that is served", n)
	}
}

func TestScrapeTellsThatEtcdIsAway(t *testing.T) {
	r := start(t)
	r.await(1, "apisix_etcd_reachable")
	_ = r.st.Close() // as if nobody answered any more
	r.await(0, "apisix_etcd_reachable")
}

func TestMetricsThatFindNoPlaceAreCountedTogether(t *testing.T) {
	r := startWith(t, EngineStd, func(o *Options) { o.MetricSeries = 3 })
	one := backend(t, "one")
	for i := range 5 {
		r.put("/apisix", fmt.Sprintf("routes/%d", i), fmt.Sprintf(`{"uri":"/%d","upstream":{"nodes":{"%s":1}}}`, i, one))
		r.get(fmt.Sprintf("http://%s/%d", r.data, i), "")
		r.await(float64(i+1), "apisix_http_requests_total")
	}
	r.await(2, "apisix_http_status", "route", "(other)")
	r.await(3, "apisix_http_status", "node", "127.0.0.1")
	if n := value(r.scrape(), "unilb_metrics_folded_total"); n == 0 {
		t.Error("nobody is told that routes were folded")
	}
}
