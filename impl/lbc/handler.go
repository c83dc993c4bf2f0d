package lbc

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/vpc"
)

// requestIDHeader carries the id of a request, in its answer and in our log. A
// client may choose it.
const requestIDHeader = "X-Request-Id"

var requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// Handler returns the REST interface.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.serveHealth)
	mux.Handle("GET /v1/operations/{id}", s.guard(s.serveOperation))
	for kind, path := range kindPaths {
		collection := "/v1"
		for i, k := range path {
			collection += "/" + k
			if i < len(path)-1 {
				collection += "/{n" + strconv.Itoa(i) + "}"
			}
		}
		item := collection + "/{n" + strconv.Itoa(len(path)-1) + "}"
		mux.Handle("GET "+collection, s.guard(func(w http.ResponseWriter, r *http.Request) error { return s.serveList(w, r, kind) }))
		mux.Handle("GET "+item, s.guard(func(w http.ResponseWriter, r *http.Request) error { return s.serveGet(w, r, kind) }))
		mux.Handle("PUT "+item, s.guard(func(w http.ResponseWriter, r *http.Request) error { return s.serveWrite(w, r, kind) }))
		mux.Handle("DELETE "+item, s.guard(func(w http.ResponseWriter, r *http.Request) error { return s.serveWrite(w, r, kind) }))
		for _, pattern := range []string{collection, item} {
			mux.Handle(pattern, s.guard(func(http.ResponseWriter, *http.Request) error {
				return &RequestError{Status: http.StatusMethodNotAllowed, Reason: "the methods are GET, PUT and DELETE; a collection has GET only"}
			}))
		}
	}
	mux.Handle("/", s.guard(func(_ http.ResponseWriter, r *http.Request) error {
		return &RequestError{Status: http.StatusNotFound, Reason: "no such path: " + r.URL.Path}
	}))
	return mux
}

// guard checks the API key, gives the request its id, and answers errors.
func (s *Service) guard(f func(http.ResponseWriter, *http.Request) error) http.Handler {
	want := sha256.Sum256([]byte(s.o.APIKey))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(requestIDHeader)
		if !requestIDPattern.MatchString(id) {
			id = newRequestID()
		}
		w.Header().Set(requestIDHeader, id)
		// Comparing digests takes the same time whatever the key looks like.
		got := sha256.Sum256([]byte(r.Header.Get("X-API-KEY")))
		var err error
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 || s.o.APIKey == "" {
			err = &RequestError{Status: http.StatusUnauthorized, Reason: "missing or wrong API key in header X-API-KEY"}
		} else {
			err = f(w, r)
		}
		if err != nil {
			s.refuse(w, r, id, err)
		}
	})
}

func newRequestID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // documented to never fail
	return hex.EncodeToString(b[:])
}

// refuse answers an error: the request's own with its status, an etcd that is
// away with 503, anything else with 500.
func (s *Service) refuse(w http.ResponseWriter, r *http.Request, id string, err error) {
	body := struct {
		ErrorMsg string `json:"error_msg"`
		Field    string `json:"field,omitempty"`
	}{ErrorMsg: err.Error()}
	status := http.StatusInternalServerError
	var request *RequestError
	var away *store.UnavailableError
	var lost *store.ConflictError
	switch {
	case errors.As(err, &request):
		status, body.Field = request.Status, request.Field
	case errors.As(err, &away), errors.As(err, &lost), errors.Is(err, context.DeadlineExceeded):
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "1")
	}
	if status >= 500 && r.Context().Err() == nil {
		s.log.Error("request failed", "request_id", id, "method", r.Method, "path", r.URL.Path, obs.Err, err)
	}
	writeJSON(w, status, body)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(body) // the client is gone; nothing to do about it
}

func (s *Service) serveHealth(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	w.Header().Set(requestIDHeader, newRequestID())
	if _, _, _, err := s.store.Get(ctx, headKey); err != nil {
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"state": "etcd does not answer"})
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"state": "serving"})
}

// serveOperation answers an operation.
func (s *Service) serveOperation(w http.ResponseWriter, r *http.Request) error {
	wait := time.Duration(0)
	if text := r.URL.Query().Get("wait"); text != "" {
		var err error
		if wait, err = time.ParseDuration(text); err != nil || wait < 0 {
			return invalid("wait", "%q: want a duration such as 10s", text)
		}
	}
	op, err := s.Operation(r.Context(), r.PathValue("id"), min(wait, maxOperationWait))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, op)
	return nil
}

// pathRef reads the ids on a path; depth is how many there are.
func pathRef(r *http.Request, kind string, depth int) (ref, error) {
	p := ref{kind: kind}
	for i := range depth {
		p.names[i] = r.PathValue("n" + strconv.Itoa(i))
	}
	if p.depth() > depth {
		// A collection: check the ids that lead to it.
		parent, ok := p.parent()
		if !ok {
			return p, nil
		}
		return p, checkRef(parent)
	}
	return p, checkRef(p)
}

func (s *Service) serveGet(w http.ResponseWriter, r *http.Request, kind string) error {
	p, err := pathRef(r, kind, len(kindPaths[kind]))
	if err != nil {
		return err
	}
	kv, ok, _, err := s.store.Get(r.Context(), p.key())
	if err != nil {
		return err
	}
	if !ok {
		return notFound(p)
	}
	w.Header().Set("ETag", strconv.Quote(strconv.FormatInt(kv.Mod, 10)))
	writeJSON(w, http.StatusOK, json.RawMessage(kv.Value))
	return nil
}

func (s *Service) serveList(w http.ResponseWriter, r *http.Request, kind string) error {
	p, err := pathRef(r, kind, len(kindPaths[kind])-1)
	if err != nil {
		return err
	}
	if parent, ok := p.parent(); ok {
		if _, found, _, err := s.store.Get(r.Context(), parent.key()); err != nil {
			return err
		} else if !found {
			return notFound(parent)
		}
	}
	dir, _ := splitKey(p.key())
	kvs, _, err := s.store.List(r.Context(), dir)
	if err != nil {
		return err
	}
	list := make([]json.RawMessage, len(kvs))
	for i, kv := range kvs {
		list[i] = kv.Value
	}
	writeJSON(w, http.StatusOK, struct {
		List  []json.RawMessage `json:"list"`
		Total int               `json:"total"`
	}{list, len(list)})
	return nil
}

// serveWrite takes a PUT or DELETE and answers with its operation.
func (s *Service) serveWrite(w http.ResponseWriter, r *http.Request, kind string) error {
	p, err := pathRef(r, kind, len(kindPaths[kind]))
	if err != nil {
		return err
	}
	c := change{ref: p}
	if c.match, err = ifMatch(r); err != nil {
		return err
	}
	if r.Method == http.MethodPut {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
		var tooLong *http.MaxBytesError
		if errors.As(err, &tooLong) {
			return &RequestError{Status: http.StatusRequestEntityTooLarge, Reason: fmt.Sprintf("the body is longer than %d bytes", maxBodyBytes)}
		} else if err != nil {
			return invalid("", "read the body: %v", err)
		}
		if c.object, err = decodeObject(p, body); err != nil {
			return err
		}
	}
	op, err := s.apply(r.Context(), c)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/operations/"+op.ID)
	writeJSON(w, http.StatusAccepted, op.answer())
	return nil
}

// ifMatch reads the modification revision that a client asks for, as GET gave it
// in ETag; "0" means that the resource must not exist.
func ifMatch(r *http.Request) (*int64, error) {
	text := r.Header.Get("If-Match")
	if text == "" {
		return nil, nil
	}
	rev, err := strconv.ParseInt(strings.Trim(text, `"`), 10, 64)
	if err != nil || rev < 0 {
		return nil, invalid("", "If-Match: want the value of an ETag header, or 0 for a resource that must not exist")
	}
	return &rev, nil
}

// ParseAdminVIP reads an address and port.
func ParseAdminVIP(text string) (netip.AddrPort, error) {
	if text == "" {
		return netip.AddrPort{}, nil
	}
	vip, err := netip.ParseAddrPort(text)
	if err != nil || !vip.Addr().Is4() || (policy{}).refuses(vpc.Pool{}, vip.Addr()) != "" || vip.Port() == 0 {
		return netip.AddrPort{}, fmt.Errorf("VIP of the Admin API %q: want an IPv4 address and a port such as 10.0.0.5:9180", text)
	}
	return vip, nil
}
