// Package vaulttest plays a server of HashiCorp Vault for tests: key-value engines of
// both versions, a token, namespaces. It speaks real HTTP, and knows nothing of who asks.
package vaulttest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Token is what a Server wants to see.
const Token = "hvs.a-token-of-the-test"

// A Server has one engine of version 1, kv, and one of version 2, secret. It may be used
// from several goroutines.
type Server struct {
	*httptest.Server

	mu      sync.Mutex
	secrets map[string]map[string]any // by namespace and path: "kv/shop", "team secret/shop"
	status  int
	lease   int
	gate    chan struct{}
	asked   int
	busy    int
	peak    int
}

// Start plays one until the test ends, over plain HTTP.
func Start(t testing.TB) *Server { return start(t, (*httptest.Server).Start) }

// StartTLS plays one over TLS.
func StartTLS(t testing.TB) *Server { return start(t, (*httptest.Server).StartTLS) }

func start(t testing.TB, begin func(*httptest.Server)) *Server {
	s := &Server{secrets: map[string]map[string]any{}}
	s.Server = httptest.NewUnstartedServer(s)
	begin(s.Server)
	t.Cleanup(func() { s.Hold()(); s.Close() })
	return s
}

// Manager is the value of an object secrets/vault/<id> for it.
func (s *Server) Manager(prefix string) []byte {
	b, err := json.Marshal(map[string]string{"uri": s.URL, "prefix": prefix, "token": Token})
	if err != nil {
		panic(err) // strings
	}
	return b
}

// Put writes a secret as a whole: at names the engine and the path, such as kv/shop/tls.
// nil deletes it.
func (s *Server) Put(at string, members map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets[at] = members
}

// Fail has every question answered with a status; 0: no more.
func (s *Server) Fail(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

// Lease is how long answers say that they hold, in seconds.
func (s *Server) Lease(seconds int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lease = seconds
}

// Hold has nobody answered until what it returns is called, which may be more than once.
func (s *Server) Hold() (release func()) {
	gate := make(chan struct{})
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gate != nil {
		close(s.gate)
	}
	s.gate = gate
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.gate == gate {
			close(gate)
			s.gate = nil
		}
	}
}

// Asked is how many questions there have been.
func (s *Server) Asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// Peak is how many questions there have been at once.
func (s *Server) Peak() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.peak
}

// begin counts a question, and returns what is to be done with it.
func (s *Server) begin() (gate chan struct{}, status int, end func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	s.busy++
	s.peak = max(s.peak, s.busy)
	return s.gate, s.status, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.busy--
	}
}

// ServeHTTP answers as Vault does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	gate, status, end := s.begin()
	defer end()
	if gate != nil {
		<-gate
	}
	path, isAPI := strings.CutPrefix(r.URL.Path, "/v1/")
	switch {
	case status != 0:
		refuse(w, status)
		return
	case !isAPI || r.Method != http.MethodGet:
		refuse(w, http.StatusMethodNotAllowed)
		return
	case r.Header.Get("X-Vault-Token") != Token:
		refuse(w, http.StatusForbidden)
		return
	}
	engine, rest, _ := strings.Cut(path, "/")
	if engine == "secret" {
		data := false
		if rest, data = strings.CutPrefix(rest, "data/"); !data {
			refuse(w, http.StatusNotFound)
			return
		}
	}
	at := engine + "/" + rest
	if ns := r.Header.Get("X-Vault-Namespace"); ns != "" {
		at = ns + " " + at
	}
	s.mu.Lock()
	members, lease := s.secrets[at], s.lease
	s.mu.Unlock()
	if members == nil {
		refuse(w, http.StatusNotFound)
		return
	}
	data := any(members)
	if engine == "secret" {
		data = map[string]any{"data": members, "metadata": map[string]any{"version": 3, "destroyed": false, "deletion_time": ""}}
	}
	answer(w, http.StatusOK, map[string]any{"request_id": "1", "lease_id": "", "renewable": false, "lease_duration": lease, "data": data, "auth": nil})
}

func refuse(w http.ResponseWriter, status int) {
	answer(w, status, map[string]any{"errors": []string{"refused, and here is what was sent: " + Token}})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who asks sees what is missing
}
