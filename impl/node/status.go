package node

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
)

// longestWait bounds a wait at the status listener; it is also the wait of a
// request that names none.
const longestWait = 60 * time.Second

// Handler returns the status listener's handler: /status, /status/ready and
// /status/applied.
func (n *Node) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", n.serveStatus)
	mux.HandleFunc("GET /status/ready", n.serveReady)
	mux.HandleFunc("GET /status/applied", n.serveApplied)
	return mux
}

func (n *Node) serveReady(w http.ResponseWriter, _ *http.Request) {
	state, code := n.State(), http.StatusOK
	body := struct {
		State  string `json:"state"`
		Status string `json:"status"` // as APISIX's status listener says it
		Error  string `json:"error,omitempty"`
	}{state.String(), "ok", ""}
	if state != Serving {
		code, body.Status, body.Error = http.StatusServiceUnavailable, "error", state.String()
	}
	if state == Starting {
		body.Error = "worker id: 0 has not received configuration"
	}
	answer(w, code, body)
}

func (n *Node) serveStatus(w http.ResponseWriter, _ *http.Request) {
	r, _ := n.report()
	drifts, _ := n.Drifts()
	var etcd *store.Reach
	if n.st != nil {
		reach := n.st.Reach()
		etcd = &reach
	}
	answer(w, http.StatusOK, struct {
		Status   string                `json:"status"` // ok: we answer, as APISIX's status listener says it
		Name     string                `json:"name"`
		Kind     string                `json:"kind"`
		Version  string                `json:"version"`
		Instance string                `json:"instance"`
		Uptime   float64               `json:"uptime"` // seconds
		Applied  map[string]int64      `json:"applied"`
		Hash     map[string]store.Hash `json:"hash,omitempty"`
		Errors   []ObjectError         `json:"errors"`
		Drift    []Drift               `json:"drift"`
		Etcd     *store.Reach          `json:"etcd,omitempty"`
	}{
		"ok", r.Name, r.Kind, obs.Version(), r.Instance,
		time.Since(n.started).Round(time.Millisecond).Seconds(), r.Applied, r.Hash, r.Errors, drifts, etcd,
	})
}

// serveApplied answers what is in force and what was refused: at once, or with ?prefix= and
// ?revision= when the revision is reached, or 504 with the same body after
// ?timeout=. ?key= leaves out what was refused of other objects.
func (n *Node) serveApplied(w http.ResponseWriter, req *http.Request) {
	prefix, rev, timeout, err := waitFor(req.URL.Query())
	if err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"error_msg": err.Error()})
		return
	}
	code := http.StatusOK
	if prefix != "" {
		if err := n.watched(prefix); err != nil { // nobody would ever say that it is in force
			answer(w, http.StatusBadRequest, map[string]string{"error_msg": err.Error()})
			return
		}
		ctx, cancel := context.WithTimeout(req.Context(), timeout)
		defer cancel()
		if n.Wait(ctx, prefix, rev) != nil {
			code = http.StatusGatewayTimeout
		}
	}
	// Both are of one moment: what is in force at a revision, and what of it is not.
	r, _ := n.reportUpTo(answeredErrors, req.URL.Query().Get("key"))
	answer(w, code, struct {
		Node    string                `json:"node"`
		Applied map[string]int64      `json:"applied"`
		Hash    map[string]store.Hash `json:"hash,omitempty"`
		Errors  []ObjectError         `json:"errors"`
	}{r.Name, r.Applied, r.Hash, r.Errors})
}

// watched says what is wrong with a prefix that one waits for.
func (n *Node) watched(prefix string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.applied[clean(prefix)]; ok {
		return nil
	}
	if len(n.applied) == 0 {
		return fmt.Errorf("prefix %q is not watched here, nor is any other", prefix)
	}
	return fmt.Errorf("prefix %q is not watched here: want %s", prefix, strings.Join(slices.Sorted(maps.Keys(n.applied)), " or "))
}

func waitFor(q url.Values) (prefix string, rev int64, timeout time.Duration, err error) {
	prefix, timeout = q.Get("prefix"), longestWait
	if (prefix == "") != (q.Get("revision") == "") {
		return "", 0, 0, fmt.Errorf("prefix and revision belong together")
	}
	if prefix == "" {
		return "", 0, 0, nil
	}
	if rev, err = strconv.ParseInt(q.Get("revision"), 10, 64); err != nil || rev < 0 {
		return "", 0, 0, fmt.Errorf("revision %q: want an etcd revision", q.Get("revision"))
	}
	if s := q.Get("timeout"); s != "" {
		if timeout, err = time.ParseDuration(s); err != nil || timeout < 0 {
			return "", 0, 0, fmt.Errorf("timeout %q: want a duration such as 10s", s)
		}
	}
	return prefix, rev, min(timeout, longestWait), nil
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // the client is gone; nothing to do about it
}
