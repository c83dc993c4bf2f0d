package gateway

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/handover"
	"github.com/unilb/unilb/impl/secret"
)

const (
	// maxGaps bounds the routes that /status/config lists because of their plugins.
	maxGaps = 10000
	// maxRefused bounds the objects that it lists because they cannot be used.
	maxRefused = 10000
)

// statusHandler serves what every node serves, and what only a gateway knows:
//
//	GET /status/config     numbers of objects, the objects refused, of the routes which
//	                       plugins are not run, the last good configuration, and secrets
//	                       that are not known
//	GET /status/upstreams  health of each checked target
//	GET /status/predecessor  how far the process drains that this one took over from
//	GET /metrics           everything that is counted, for Prometheus; also where APISIX
//	                       has it, /apisix/prometheus/metrics
func (g *Gateway) statusHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", g.node.Handler())
	mux.HandleFunc("GET /status/config", func(w http.ResponseWriter, _ *http.Request) {
		snap, refused := g.config.status()
		gaps, more := snap.Gaps(maxGaps)
		moreRefused := max(0, len(refused)-maxRefused)
		for _, key := range slices.Sorted(maps.Keys(refused))[len(refused)-moreRefused:] {
			delete(refused, key)
		}
		plugins := make(map[string]config.Gaps, len(gaps))
		for key, gap := range gaps {
			plugins[g.o.Prefix+"/"+key] = gap
		}
		answerJSON(w, struct {
			Objects  config.Counts          `json:"objects"`
			Refused  map[string]string      `json:"refused"`
			MoreBad  int                    `json:"refused_more,omitempty"`
			Plugins  map[string]config.Gaps `json:"plugins_not_run"` // by key of the route or global rule
			More     int                    `json:"plugins_not_run_more,omitempty"`
			InFlight int                    `json:"in_flight"`
			LastGood *lastGoodStatus        `json:"last_good"` // null: none is kept
			// Secrets are the references that are not known, or not up to date.
			Secrets map[string]secret.Trouble `json:"secrets"`
		}{snap.Counts(), refused, moreRefused, plugins, more, g.engine.InFlight(), g.last.status(time.Now()), g.secrets.Troubles(maxTroubles)})
	})
	mux.HandleFunc("GET /status/upstreams", func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, struct {
			Upstreams map[string][]TargetHealth `json:"upstreams"`
		}{g.health.view()})
	})
	mux.HandleFunc("GET /status/predecessor", func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, struct {
			Predecessor *handover.Progress `json:"predecessor"` // null: there is none
		}{g.o.Heir.Predecessor()})
	})
	metrics := g.metricsHandler()
	mux.Handle("GET /metrics", metrics)
	mux.Handle("GET /apisix/prometheus/metrics", metrics)
	return mux
}

func answerJSON(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // the client is gone; nothing to do about it
}
