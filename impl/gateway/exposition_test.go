package gateway

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/unilb/unilb/impl/obs/meter"
	"github.com/unilb/unilb/impl/store"
)

func TestLabelsAndBucketsAreWhatTheParserReads(t *testing.T) {
	m := meter.New(2, 0)
	l := meter.Labels{Service: `a"b`, URI: "/\\n\n*", Host: "\u00e9.example"}
	s := m.Series(meter.Key{Route: `r\`, Node: "10.0.0.1"}, l)
	for i, took := range []time.Duration{0, time.Millisecond, 1500 * time.Microsecond, 7 * time.Second, time.Hour} {
		s.Done(i%2, meter.Outcome{Status: 200, Took: took})
	}
	var text bytes.Buffer
	writeRequests(&text, m.All())
	p := expfmt.NewTextParser(model.LegacyValidation)
	f, err := p.TextToMetricFamilies(&text)
	if err != nil {
		t.Fatal(err)
	}
	if n := value(f, "apisix_http_status", "route", `r\`, "service", l.Service, "matched_uri", l.URI, "matched_host", l.Host, "node", "10.0.0.1", "code", "200"); n != 5 {
		t.Errorf("%v answers, want 5: %v", n, f["apisix_http_status"])
	}
	for _, metric := range f["apisix_http_latency"].GetMetric() {
		h := metric.GetHistogram()
		got := map[float64]uint64{}
		for _, b := range h.GetBucket() {
			got[b.GetUpperBound()] = b.GetCumulativeCount()
		}
		want := map[float64]uint64{1: 2, 2: 3, 5: 3, 10: 3, 20: 3, 50: 3, 100: 3, 200: 3, 500: 3, 1000: 3, 2000: 3, 5000: 3, 10000: 4, 30000: 4, 60000: 4, math.Inf(1): 5}
		if !maps.Equal(got, want) || h.GetSampleCount() != 5 || h.GetSampleSum() != 3607002.5 {
			t.Errorf("got %v, count %d, sum %v ms, want %v, 5, 3607002.5", got, h.GetSampleCount(), h.GetSampleSum(), want)
		}
	}
	if n := len(f["apisix_http_latency"].GetMetric()); n != 2 {
		t.Errorf("%d histograms, want request and apisix", n)
	}
}

func TestScrapesAtOnceAreBounded(t *testing.T) {
	g, err := build(Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer g.close()
	h := g.metricsHandler()
	scrape := func(w http.ResponseWriter) { h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil)) }
	slow := &slowClient{measure: measure{header: http.Header{}}, begun: make(chan struct{}), goOn: make(chan struct{})}
	var wg sync.WaitGroup
	for range scrapesAtOnce {
		wg.Go(func() { scrape(slow) })
		<-slow.begun
	}
	w := httptest.NewRecorder()
	if scrape(w); w.Code != http.StatusServiceUnavailable {
		t.Errorf("one more scrape: %d, want 503", w.Code)
	}
	close(slow.goOn)
	wg.Wait()
	w = httptest.NewRecorder()
	if scrape(w); w.Code != http.StatusOK {
		t.Errorf("after they have ended: %d, want 200", w.Code)
	}
}

// slowClient stops reading at the first byte until it is told to go on.
type slowClient struct {
	measure
	begun, goOn chan struct{}
}

func (s *slowClient) Write(b []byte) (int, error) {
	select {
	case <-s.goOn:
	case s.begun <- struct{}{}:
		<-s.goOn
	}
	return len(b), nil
}

// BenchmarkScrape is a scrape with a thousand routes.
func BenchmarkScrape(b *testing.B) {
	g, err := build(Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer g.close()
	fill(b, g, 1000)
	h := g.metricsHandler()
	b.ReportAllocs()
	for b.Loop() {
		w := &measure{header: http.Header{}}
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		b.ReportMetric(float64(w.bytes), "bytes")
	}
}

// measure is a client that throws away what it gets.
type measure struct {
	header http.Header
	bytes  int
}

func (m *measure) Header() http.Header { return m.header }
func (m *measure) WriteHeader(int)     {}
func (m *measure) Write(b []byte) (int, error) {
	m.bytes += len(b)
	return len(b), nil
}

// fill puts routes into a gateway and a request into the meter for each.
func fill(b *testing.B, g *Gateway, routes int) {
	batch := store.Batch{Prefix: g.o.Prefix, Revision: 1, Reset: true}
	for i := range routes {
		batch.Puts = append(batch.Puts, store.KV{Key: fmt.Sprintf("/routes/%d", i), Create: 1, Mod: 1,
			Value: fmt.Appendf(nil, `{"uri":"/%d","upstream":{"nodes":{"10.0.0.1:80":1}}}`, i)})
	}
	g.config.apply(g.o.Prefix, batch)
	for i := range routes {
		g.meter.Series(meter.Key{Route: fmt.Sprint(i), Node: "10.0.0.1"}, meter.Labels{URI: fmt.Sprintf("/%d", i)}).
			Done(0, meter.Outcome{Status: 200, Asked: true, Upstream: true, Waited: time.Millisecond, Took: time.Millisecond, Sent: 100})
	}
	g.pipeline.SweepCounts()
	if n := len(g.meter.All()); n < routes {
		b.Fatalf("%d series, want %d", n, routes)
	}
}
