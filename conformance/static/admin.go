package static

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/unilb/unilb/conformance/model"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Limits of the Admin API.
const (
	maxBody       = 1_572_864 // as APISIX has it
	headerTimeout = 10 * time.Second
)

// URL is where an Endpoint's client finds the Admin API. Nothing listens there:
// its dialer leads to the store, wherever it is.
const (
	URL  = "http://192.0.2.1:9180" + root
	root = "/apisix/admin"
)

// idShape is what APISIX takes for an id.
var idShape = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// A Server answers the Admin API for a store within this process.
type Server struct {
	store *Store
	key   string
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
	http  http.Server
}

// Serve begins to answer; Close ends it.
func Serve(store *Store, key string) *Server {
	s := &Server{store: store, key: key, conns: make(chan net.Conn), done: make(chan struct{})}
	s.http = http.Server{Handler: s, ReadHeaderTimeout: headerTimeout}
	go func() { _ = s.http.Serve(listener{s}) }() // ends with Close
	return s
}

// Close ends all connections. Later calls do nothing.
func (s *Server) Close() error {
	s.once.Do(func() { close(s.done) })
	return s.http.Close()
}

// Endpoint is the Admin API for cases.
func (s *Server) Endpoint() spec.Endpoint {
	return spec.Endpoint{URL: URL, Key: s.key, From: traffic.Client{Ref: "admin/static", Dialer: s}}
}

// Dial implements traffic.Dialer: whatever the address, it leads here.
func (s *Server) Dial(ctx context.Context, _ string, _ netip.AddrPort) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case s.conns <- theirs:
		return ours, nil
	case <-s.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// listener takes the connections that Dial makes.
type listener struct{ s *Server }

func (l listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.s.conns:
		return c, nil
	case <-l.s.done:
		return nil, net.ErrClosed
	}
}

func (l listener) Close() error   { return nil }
func (l listener) Addr() net.Addr { return &net.TCPAddr{} }

// ServeHTTP implements as much of the Admin API as cases use.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("X-API-KEY")), []byte(s.key)) != 1 {
		answer(w, http.StatusUnauthorized, map[string]string{"error_msg": "failed to check token"})
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, root+"/")
	kind, id, _ := strings.Cut(path, "/")
	switch {
	case !ok || !slices.Contains(model.Kinds(), kind):
		answer(w, http.StatusNotFound, map[string]string{"error_msg": "Unsupported resource type: " + kind})
	case r.Method == http.MethodGet && id == "":
		s.showAll(w, kind)
	case r.Method == http.MethodGet:
		s.show(w, kind, id)
	case r.Method == http.MethodPut:
		s.put(w, r, kind, id)
	case r.Method == http.MethodPatch:
		s.patch(w, r, kind, id)
	case r.Method == http.MethodDelete:
		s.delete(w, kind, id)
	default:
		answer(w, http.StatusMethodNotAllowed, map[string]string{"error_msg": "not supported `" + r.Method + "` method for " + kind})
	}
}

func (s *Server) put(w http.ResponseWriter, r *http.Request, kind, id string) {
	body, ok := read(w, r)
	if !ok {
		return
	}
	if id == "" {
		var o struct {
			ID any `json:"id"`
		}
		_ = json.Unmarshal(body, &o) // that it is JSON is known
		id, _ = o.ID.(string)
	}
	s.write(w, kind, id, body)
}

// patch merges objects, replaces everything else, and deletes what is null.
func (s *Server) patch(w http.ResponseWriter, r *http.Request, kind, id string) {
	change, ok := read(w, r)
	if !ok {
		return
	}
	old, ok := s.store.get(kind, id)
	if !ok {
		notFound(w)
		return
	}
	var into, from map[string]any
	if json.Unmarshal(old.Body, &into) != nil || json.Unmarshal(change, &from) != nil {
		answer(w, http.StatusBadRequest, map[string]string{"error_msg": "invalid configuration"})
		return
	}
	body, err := json.Marshal(merge(into, from))
	if err != nil {
		answer(w, http.StatusInternalServerError, map[string]string{"error_msg": err.Error()})
		return
	}
	s.write(w, kind, id, body)
}

func merge(into, from map[string]any) map[string]any {
	for k, v := range from {
		a, aok := into[k].(map[string]any)
		b, bok := v.(map[string]any)
		switch {
		case v == nil:
			delete(into, k)
		case aok && bok:
			into[k] = merge(a, b)
		default:
			into[k] = v
		}
	}
	return into
}

func (s *Server) write(w http.ResponseWriter, kind, id string, body []byte) {
	if !idShape.MatchString(id) {
		answer(w, http.StatusBadRequest, map[string]string{"error_msg": "missing or invalid " + kind + " id"})
		return
	}
	rev, created, err := s.store.Put(kind, id, body)
	var none *model.NoWord
	switch {
	case errors.As(err, &none): // it may be a good object: this is about the testbed
		w.Header().Set(spec.NoWordHeader, none.What)
		answer(w, http.StatusNotImplemented, map[string]string{"error_msg": err.Error()})
		return
	case err != nil:
		answer(w, http.StatusBadRequest, map[string]string{"error_msg": "invalid configuration: " + err.Error()})
		return
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	revision(w, rev)
	answer(w, status, map[string]any{"key": "/apisix/" + kind + "/" + id, "value": json.RawMessage(body)})
}

func (s *Server) delete(w http.ResponseWriter, kind, id string) {
	rev, err := s.store.Delete(kind, id)
	if err != nil {
		notFound(w)
		return
	}
	revision(w, rev)
	answer(w, http.StatusOK, map[string]string{"deleted": "1", "key": "/apisix/" + kind + "/" + id})
}

func (s *Server) show(w http.ResponseWriter, kind, id string) {
	o, ok := s.store.get(kind, id)
	if !ok {
		notFound(w)
		return
	}
	answer(w, http.StatusOK, shown(o))
}

func (s *Server) showAll(w http.ResponseWriter, kind string) {
	list := []any{}
	for _, o := range s.store.list(kind) {
		list = append(list, shown(o))
	}
	answer(w, http.StatusOK, map[string]any{"list": list, "total": len(list)})
}

func shown(o stored) map[string]any {
	return map[string]any{
		"key": "/apisix/" + o.Kind + "/" + o.ID, "value": json.RawMessage(o.Body), "createdIndex": o.Created, "modifiedIndex": o.modified,
	}
}

// read takes a body that is JSON, or answers why it does not.
func read(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil || !json.Valid(body) {
		answer(w, http.StatusBadRequest, map[string]string{"error_msg": "invalid request body"})
		return nil, false
	}
	return body, true
}

func notFound(w http.ResponseWriter) {
	answer(w, http.StatusNotFound, map[string]string{"message": "Key not found"})
}

func revision(w http.ResponseWriter, rev int64) {
	w.Header().Set(spec.RevisionHeader, strconv.FormatInt(rev, 10))
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has gone
}
