package gateway

import (
	"encoding/json"
	"net/http"

	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/handover"
)

// statusHandler serves what every node serves, and what only a gateway knows:
//
//	GET /status/config     numbers of objects, and the objects refused
//	GET /status/upstreams  health of each checked target
//	GET /status/predecessor  how far the process drains that this one took over from
//	GET /metrics           everything that is counted, for Prometheus; also where APISIX
//	                       has it, /apisix/prometheus/metrics
func (g *Gateway) statusHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", g.node.Handler())
	mux.HandleFunc("GET /status/config", func(w http.ResponseWriter, _ *http.Request) {
		counts, refused := g.config.status()
		answerJSON(w, struct {
			Objects  config.Counts     `json:"objects"`
			Refused  map[string]string `json:"refused"`
			InFlight int               `json:"in_flight"`
		}{counts, refused, g.engine.InFlight()})
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
