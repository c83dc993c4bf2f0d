package admin

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
)

// register is an Admin API with one register for each key. A stale one answers
// every third read with what the key held before.
type register struct {
	mu     sync.Mutex
	rev    int64
	now    map[string]version
	before map[string]version
	reads  int
	stale  bool
}

type version struct {
	object json.RawMessage
	rev    int64
}

func newRegister() *register {
	return &register{now: map[string]version{}, before: map[string]version{}}
}

func (s *register) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get("X-API-KEY") != "secret" {
		say(w, 401, `{"error_msg":"failed to check token","description":"wrong apikey"}`)
		return
	}
	key := r.URL.Path
	has, ok := s.now[key]
	if want := r.Header.Get("If-Match"); want != "" && want != strconv.FormatInt(has.rev, 10) {
		say(w, 412, `{"error_msg":"the object has another revision"}`)
		return
	}
	switch r.Method {
	case http.MethodPut:
		b, err := io.ReadAll(r.Body)
		if err != nil || !json.Valid(b) {
			say(w, 400, `{"error_msg":"invalid request body"}`)
			return
		}
		s.set(w, key, version{object: b})
		say(w, map[bool]int{true: 200, false: 201}[ok], fmt.Sprintf(`{"key":%q,"value":%s}`, key, b))
	case http.MethodGet:
		if s.reads++; s.stale && s.reads%3 == 0 {
			has = s.before[key]
		}
		if has.object == nil {
			say(w, 404, `{"message":"Key not found"}`)
			return
		}
		say(w, 200, fmt.Sprintf(`{"key":%q,"value":%s,"createdIndex":1,"modifiedIndex":%d}`, key, has.object, has.rev))
	case http.MethodDelete:
		if !ok {
			say(w, 404, `{"message":"Key not found"}`)
			return
		}
		s.set(w, key, version{})
		say(w, 200, fmt.Sprintf(`{"deleted":"1","key":%q}`, key))
	}
}

func (s *register) set(w http.ResponseWriter, key string, v version) {
	s.rev++
	w.Header().Set("X-Unilb-Revision", fmt.Sprint(s.rev))
	s.before[key] = s.now[key]
	if v.object == nil {
		delete(s.now, key)
		return
	}
	v.rev = s.rev
	s.now[key] = v
}

func say(w http.ResponseWriter, status int, body string) {
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}
