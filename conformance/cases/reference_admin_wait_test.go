package cases

import (
	"fmt"
	"net/http"
	"time"
)

// waits refuses a write that waits for something else than applied, or too long.
func (g *reference) waits(w http.ResponseWriter, r *http.Request) bool {
	q := r.URL.Query()
	if !q.Has("wait") || r.Method == http.MethodGet || g.is("takes any wait") {
		return true
	}
	if q.Get("wait") != "applied" {
		reply(w, 400, object{"error_msg": "invalid argument wait: want applied"})
		return false
	}
	if d, err := time.ParseDuration(q.Get("timeout")); q.Has("timeout") && (err != nil || d <= 0 || d > time.Minute) {
		reply(w, 400, object{"error_msg": "invalid argument timeout: want a duration"})
		return false
	}
	return true
}

// tellApplied says beside what was written where it is in force: here, the reference
// knows no other gateway.
func (g *reference) tellApplied(w http.ResponseWriter, r *http.Request, answer object) {
	if r.URL.Query().Get("wait") != "applied" && !g.is("tells who has not asked") || g.is("tells no gateways") {
		return
	}
	n := 1
	if g.is("waits for nobody") {
		n = 0
	}
	w.Header().Set("X-Unilb-Applied", fmt.Sprintf("%d/%d", n, n))
	applied := object{"revision": g.rev, "nodes": n, "in_force": n, "slowest_ms": 0.1, "behind": []any{}}
	answer["applied"] = applied
	if v, ok := answer["value"].(object); ok && g.is("tells in the value") {
		v["applied"] = applied
	}
}
