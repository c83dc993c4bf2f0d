package admin

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/history"
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

// tape is a recorder for tests.
type tape struct {
	history.Clock
	mu    sync.Mutex
	calls []history.AdminCall
}

func (t *tape) Admin(a history.AdminCall) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls = append(t.calls, a)
}

// staleReads counts the reads of a write that had certainly been followed by
// another before they began. A register has none; values are unique.
func staleReads(t *testing.T, calls []history.AdminCall) (stale, reads int) {
	t.Helper()
	written := map[string]history.AdminCall{}
	for _, a := range calls {
		if a.Verb == Put && a.Outcome == history.OK {
			written[a.Key+string(a.Object)] = a
		}
	}
	for _, r := range calls {
		if r.Verb != Get || r.Outcome != history.OK {
			continue
		}
		reads++
		var since time.Duration // what was read was there from then on at the latest
		if r.Got != nil {
			w, ok := written[r.Key+string(r.Got)]
			if !ok {
				t.Fatalf("%s was read and never written: %s", r.Key, r.Got)
			}
			since = w.Return
		}
		for _, w := range calls {
			follows := w.Key == r.Key && w.Outcome == history.OK && w.Call > since && w.Return < r.Call
			if follows && (r.Got != nil && w.Verb != Get || r.Got == nil && w.Verb == Put && !deletedAfter(calls, w, r)) {
				stale++
				break
			}
		}
	}
	return stale, reads
}

func deletedAfter(calls []history.AdminCall, w, r history.AdminCall) bool {
	for _, d := range calls {
		if d.Key == r.Key && d.Verb == Delete && d.Outcome == history.OK && d.Return > w.Call && d.Call < r.Return {
			return true
		}
	}
	return false
}
