package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
)

const (
	// root is the path of the Admin API.
	root = "/apisix/admin"
	// apiVersion is in the header X-API-VERSION of answers of resources.
	apiVersion = "v3"
	// maxBody is the largest request body, in bytes.
	maxBody = 1572864
	// DefaultPrefix is APISIX's directory in etcd.
	DefaultPrefix = "/apisix"
)

// Store is the part of the store that the Admin API needs.
type Store interface {
	Get(ctx context.Context, key string) (kv store.KV, ok bool, rev int64, err error)
	Page(ctx context.Context, prefix, from string, rev int64, limit int) (kvs []store.KV, next string, at int64, err error)
	Follow(prefix string, take func(store.KV)) *store.Follower
	FirstChange(ctx context.Context, key string, after, upTo int64) (kv store.KV, ok bool, err error)
	Commit(ctx context.Context, conds []store.Cond, ops ...store.Op) (rev int64, err error)
}

// Options of a Handler. Store is required.
type Options struct {
	Store Store
	// Prefix is the directory in etcd; empty means /apisix.
	Prefix string
	// Keys are the API keys; without any, everybody may do everything.
	Keys []Key
	// Keyring seals private keys and the secrets of plugins in etcd; nil: they are
	// stored in clear.
	Keyring *apisix.Keyring
	// PlainSecrets stores the secrets of plugins in clear all the same, for data
	// planes of APISIX that are told so. What is sealed is still opened.
	PlainSecrets bool
	// Stream says that gateways route connections; otherwise stream routes are
	// refused.
	Stream bool
	// Standalone takes whole configurations and nothing else, as APISIX does with
	// config_provider yaml.
	Standalone bool
	// MaxConfigs bounds a whole configuration, in bytes; 0 means DefaultMaxConfigs.
	MaxConfigs int64
	// Allow are the addresses of clients; without any, everybody may ask.
	Allow []netip.Prefix
	// NoCORS leaves out what lets pages of other origins use the API.
	NoCORS bool
	// NoVersion leaves the version out of the header Server, from which some
	// clients learn what the API can do.
	NoVersion bool
	// Now is the clock of create_time and update_time; nil is the system's.
	Now func() time.Time
	// Log receives what clients are not told; nil discards it.
	Log *slog.Logger
}

// Handler answers the Admin API.
type Handler struct {
	st        Store
	prefix    string
	keys      []Key
	keyring   *apisix.Keyring
	plain     bool // secrets of plugins are stored in clear
	stream    bool
	allow     []netip.Prefix
	noCORS    bool
	noVersion bool
	now       func() time.Time
	log       *slog.Logger
	nodes     *node.Client  // to the status listeners of gateways
	waits     chan struct{} // has an element for each write that waits for them
	knowledge knowledge

	searchTime time.Duration // of the patterns of one list
	standalone bool
	maxConfigs int64
	accepting  chan struct{} // has an element for each whole configuration in memory
	replacing  chan struct{} // has an element while one replaces what there is
	self       string        // tells this replica from others
}

// New returns a Handler.
func New(o Options) (*Handler, error) {
	if o.Store == nil {
		return nil, errors.New("admin API: no store")
	}
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	if !strings.HasPrefix(o.Prefix, "/") || strings.HasSuffix(o.Prefix, "/") {
		return nil, errors.New("admin API: prefix must begin with a slash and not end with one")
	}
	if o.MaxConfigs <= 0 {
		o.MaxConfigs = DefaultMaxConfigs
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	h := &Handler{
		st: o.Store, prefix: o.Prefix, keys: o.Keys, keyring: o.Keyring, plain: o.PlainSecrets, stream: o.Stream,
		allow: o.Allow, noCORS: o.NoCORS, noVersion: o.NoVersion, now: o.Now, log: o.Log,
		searchTime: searchTime, nodes: node.NewClient(keptConns), waits: make(chan struct{}, maxWaits),
		standalone: o.Standalone, maxConfigs: o.MaxConfigs, self: randomID(), accepting: make(chan struct{}, maxAccepting), replacing: make(chan struct{}, 1),
	}
	h.knowledge.h = h
	return h, nil
}

// request is what the handlers of resources see.
type request struct {
	*http.Request
	address
	sub  *string          // rest of the path after the id; nil when there is none
	body *apisix.Document // nil: there is none
	wait time.Duration    // until all gateways serve what is written; 0: nobody waits

	failed bool  // a transaction of it did, since something is not as it was thought to be
	seen   int64 // a revision that showed it then
}

// ServeHTTP checks in APISIX's order (key, resource, handler, body, ttl, method)
// and answers the first thing that is wrong.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.commonHeaders(w.Header())
	if !h.allowed(r.RemoteAddr) {
		page(w, http.StatusForbidden)
		return
	}
	if r.Method == http.MethodOptions && !h.noCORS {
		w.Header().Set("Access-Control-Allow-Methods", "POST, GET, PUT, OPTIONS, DELETE, PATCH")
		w.Header().Set("Access-Control-Allow-Headers", "*")
		w.WriteHeader(http.StatusOK)
		return
	}
	w.Header().Set("Content-Type", "application/json") // of answers without a body, too, and of bare texts
	path, ours := strings.CutPrefix(normal(r.URL.Path), root)
	if ours && path == "" && r.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK) // liveness probe of clients, needs no key
		return
	}
	if r.ContentLength == 0 {
		hasCome(w)
	}
	if ours && h.standalone {
		h.serveStandalone(w, r, path)
		return
	}
	if !ours || !strings.HasPrefix(path, "/") || !routed(r.Method) {
		page(w, http.StatusNotFound)
		return
	}
	key, err := h.authorize(r)
	if err != nil {
		err.write(w)
		return
	}
	if h.serveCatalogue(w, r, path) {
		return
	}
	r = recorded(r, key.Name)
	if endpoint := h.endpoint(r.Method, path[1:]); endpoint != nil {
		endpoint(w, r)
		return
	}
	req, err := h.parse(w, r, path[1:])
	if err != nil {
		err.write(w)
		return
	}
	w.Header().Set("X-API-VERSION", apiVersion)
	a, err := h.answer(req)
	if err != nil {
		if err.cause != nil {
			h.log.Error("request not served", obs.Op, r.Method, obs.Key, r.URL.Path, obs.Err, err.cause)
		}
		err.write(w)
		return
	}
	a.write(w)
}

// normal is a path as nginx hands it on: one slash instead of several, and no dots that
// stand for a directory.
func normal(p string) string {
	if !strings.HasPrefix(p, "/") || !strings.Contains(p, "//") && !strings.Contains(p, "/.") {
		return p
	}
	clean := path.Clean(p)
	if last := p[strings.LastIndexByte(p, '/')+1:]; clean != "/" && (last == "" || last == "." || last == "..") {
		clean += "/"
	}
	return clean
}

func routed(method string) bool {
	switch method {
	case http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete, http.MethodPatch:
		return true
	}
	return false
}

// parse finds the resource that the path names and reads the body.
func (h *Handler) parse(w http.ResponseWriter, r *http.Request, path string) (*request, *failure) {
	req := &request{Request: r}
	var err *failure
	if req.address, req.sub, err = find(path); err != nil {
		return nil, err
	}
	if req.res.dir == "stream_routes" && !h.stream {
		return nil, bad("stream mode is disabled, can not add stream routes")
	}
	if req.body, err = readBody(w, r); err != nil {
		return nil, err
	}
	if _, err := ttl(r); err != nil {
		return nil, err
	}
	if req.wait, err = waitFor(r); err != nil {
		return nil, err
	}
	return req, nil
}

// answer dispatches a request, and waits until gateways serve what it wrote if it asks to.
func (h *Handler) answer(req *request) (*answer, *failure) {
	if req.wait == 0 {
		return h.dispatch(req)
	}
	end, f := h.beginWait()
	if f != nil {
		return nil, f
	}
	defer end()
	a, f := h.dispatch(req)
	if f == nil && a.rev > 0 {
		h.await(req.Context(), a, req.wait)
	}
	return a, f
}

func (h *Handler) dispatch(req *request) (*answer, *failure) {
	if slices.Contains(req.res.without, req.Method) {
		return nil, fail(http.StatusMethodNotAllowed, fmt.Sprintf("not supported `%s` method for %s", req.Method, req.res.kind))
	}
	if req.sub != nil && req.Method != http.MethodPatch && *req.sub != "" {
		return nil, fail(http.StatusNotFound, "not found")
	}
	switch req.Method {
	case http.MethodPut:
		return h.put(req)
	case http.MethodPost:
		return h.post(req)
	case http.MethodPatch:
		return h.patch(req)
	case http.MethodDelete:
		return h.delete(req)
	}
	return h.get(req)
}
