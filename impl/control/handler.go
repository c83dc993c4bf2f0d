package control

import (
	"context"
	"encoding/json"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/explain"
	"github.com/unilb/unilb/impl/health"
)

// Options of a handler. All are required.
type Options struct {
	// Prefix of the APISIX layout, without a slash at the end.
	Prefix string
	// Snapshot returns what is in force.
	Snapshot func() *config.Snapshot
	Health   Health
	// Shown is what of an object's value may be told; false: nothing.
	Shown func(k config.Kind, id string, value []byte) ([]byte, bool)
	// Explain returns what answers questions about requests: of the configuration in force.
	Explain func() *explain.Source
	// Server is what /v1/server_info says.
	Server ServerInfo
	// EtcdVersion asks etcd for its version.
	EtcdVersion func(context.Context) (string, error)
}

// Health tells how targets are that are checked.
type Health interface {
	// Checkers are those of all upstreams that have an active check, in no order.
	Checkers() []Checker
	// Checker is that of the upstream of a key such as routes/1; false: there is none.
	Checker(key string) (Checker, bool)
}

// A Checker is the active check of one upstream.
type Checker struct {
	Key   string `json:"-"`    // upstreams/1, routes/1, services/1
	Name  string `json:"name"` // set here: the key in etcd
	Type  string `json:"type"` // http, https, tcp
	Nodes []Node `json:"nodes"`
}

// A Node is one target of a Checker.
type Node struct {
	IP         string          `json:"ip"` // of a name the address that was probed last; the name while there was none
	Port       int             `json:"port"`
	Hostname   string          `json:"hostname"`
	HostHeader string          `json:"hostheader,omitempty"`
	Status     health.Status   `json:"status"`
	Counter    health.Counters `json:"counter"`
}

// ServerInfo is what a gateway says of itself.
type ServerInfo struct {
	ID       string // of the node
	Hostname string
	Version  string // of our build
	Boot     time.Time
}

type handler struct {
	Options
	collecting sync.Mutex
}

// New returns the handler of the control API.
func New(o Options) http.Handler {
	h := &handler{Options: o}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/schema", giveSchemas)
	mux.HandleFunc("GET /v1/healthcheck", h.healthcheck)
	mux.HandleFunc("GET /v1/healthcheck/{type}", h.checker)
	mux.HandleFunc("GET /v1/healthcheck/{type}/{$}", h.checker)
	mux.HandleFunc("GET /v1/healthcheck/{type}/{id}", h.checker)
	for _, k := range collections {
		mux.HandleFunc("GET /v1/"+k.list, func(w http.ResponseWriter, _ *http.Request) { h.list(w, k) })
		mux.HandleFunc("GET /v1/"+k.one+"/{id}", func(w http.ResponseWriter, r *http.Request) { h.one(w, k, r.PathValue("id")) })
	}
	mux.HandleFunc("GET /v1/explain", h.explain)
	mux.HandleFunc("POST /v1/explain", h.explain)
	mux.HandleFunc("POST /v1/gc", h.collect)
	mux.HandleFunc("PUT /v1/plugins/reload", reloadPlugins)
	mux.HandleFunc("GET /v1/discovery/{type}/dump", noDiscovery)
	mux.HandleFunc("GET /v1/server_info", h.serverInfo)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fail(w, http.StatusNotFound, "404 Not Found") })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", apisix.ServerName)
		mux.ServeHTTP(w, r)
	})
}

// collect frees what nobody refers to any more, one request after the other.
func (h *handler) collect(http.ResponseWriter, *http.Request) {
	h.collecting.Lock()
	defer h.collecting.Unlock()
	runtime.GC()
}

// reloadPlugins has nothing to do: the plugins of this gateway are part of its binary,
// and every one is loaded.
func reloadPlugins(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("done"))
}

// noDiscovery says that this gateway asks no registry.
func noDiscovery(w http.ResponseWriter, r *http.Request) {
	fail(w, http.StatusNotFound, "discovery "+r.PathValue("type")+" is not configured")
}

// etcdPatience bounds the wait for etcd's version, which nobody needs to run.
const etcdPatience = time.Second

func (h *handler) serverInfo(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), etcdPatience)
	defer cancel()
	etcd, err := h.EtcdVersion(ctx)
	if err != nil {
		etcd = "unknown" // as APISIX says before it has asked
	}
	answer(w, http.StatusOK, struct {
		ID       string `json:"id"`
		Hostname string `json:"hostname"`
		Version  string `json:"version"` // of APISIX, whose behaviour we have
		Build    string `json:"build"`
		Boot     int64  `json:"boot_time"` // unix seconds
		Etcd     string `json:"etcd_version"`
	}{h.Server.ID, h.Server.Hostname, apisix.Release, h.Server.Version, h.Server.Boot.Unix(), etcd})
}

func fail(w http.ResponseWriter, code int, why string) {
	answer(w, code, struct {
		Msg string `json:"error_msg"`
	}{why})
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(body) // the client is gone; nothing to do about it
}
