package gateway

import (
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"

	"github.com/unilb/unilb/impl/obs"
)

const (
	// scrapesAtOnce bounds the scrapes under way: one of thousands of routes has
	// megabytes.
	scrapesAtOnce = 2
	// scrapeTime bounds the time that a client takes to read one.
	scrapeTime = 30 * time.Second
)

// metricsHandler answers with everything that the gateway counts, in the text format
// of Prometheus, 0.0.4. docs/metrics.md lists what there is.
//
// What there is once is collected and written by Prometheus' own library. Requests,
// of which there are some sixty lines for each pair of route and node, are written by
// us (writeRequests): the library makes 60 KB of garbage for each pair, and collections
// are what costs event loops most.
func (g *Gateway) metricsHandler() http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collector(g.collectTotals), collector(g.collectConnections), collector(g.collectConfiguration), collector(g.collectDrift), collector(g.collectResyncs), collector(g.collectLastGood), collector(g.collectExpiries), collector(g.collectStaples), collector(g.collectSecrets), collector(g.collectHealth), collector(g.collectLog))
	format := expfmt.NewFormat(expfmt.TypeTextPlain)
	slots := make(chan struct{}, scrapesAtOnce)
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		default:
			http.Error(w, "too many scrapes at once", http.StatusServiceUnavailable)
			return
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(scrapeTime)) // a recorder of a test has none
		g.pipeline.SweepCounts()
		families, err := r.Gather()
		if err != nil { // one bad value must not hide the others
			g.o.Log.Error("metric not exposed", obs.Err, err)
		}
		w.Header().Set("Content-Type", string(format))
		out := expfmt.NewEncoder(w, format)
		for _, f := range families {
			if err := out.Encode(f); err != nil {
				return // the client is gone
			}
		}
		writeRequests(w, g.meter.All())
	})
}

// collector is a source of metrics that are known only when they are asked for: labels
// are objects of the configuration.
type collector func(*samples)

// Describe says nothing, so that the registry checks what is collected instead.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect is called at each scrape.
func (c collector) Collect(to chan<- prometheus.Metric) { c(&samples{to}) }

// samples takes the values of a scrape.
type samples struct{ to chan<- prometheus.Metric }

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

func (s *samples) counter(d *prometheus.Desc, v uint64, labels ...string) {
	s.value(d, prometheus.CounterValue, float64(v), labels)
}

func (s *samples) gauge(d *prometheus.Desc, v float64, labels ...string) {
	s.value(d, prometheus.GaugeValue, v, labels)
}

func (s *samples) value(d *prometheus.Desc, t prometheus.ValueType, v float64, labels []string) {
	m, err := prometheus.NewConstMetric(d, t, v, labels...)
	if err != nil {
		m = prometheus.NewInvalidMetric(d, err)
	}
	s.to <- m
}

// hostname is the label of that name; empty when the machine does not know.
var hostname = func() string {
	name, _ := os.Hostname()
	return name
}()

// truth is a gauge that is 1 or 0.
func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
