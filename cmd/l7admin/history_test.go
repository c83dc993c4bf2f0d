package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/admin"
	"github.com/unilb/unilb/impl/daemon"
	"github.com/unilb/unilb/impl/history"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/etcdtest"
)

// session is an Admin API, and commands over the same etcd.
type session struct {
	t        *testing.T
	api      http.Handler
	endpoint string
}

func newSession(t *testing.T) *session {
	t.Helper()
	etcd := etcdtest.Start(t)
	st, err := store.Open(store.Options{Endpoints: []string{etcd.Endpoint()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	api, err := admin.New(admin.Options{Store: &history.Store{Store: st, Objects: "/apisix"}, Keys: []admin.Key{{Secret: "k", Role: admin.Admin, Name: "admin"}}})
	if err != nil {
		t.Fatal(err)
	}
	return &session{t, api, etcd.Endpoint()}
}

// call asks the Admin API and returns the revision of the write.
func (s *session) call(method, path, body string) string {
	s.t.Helper()
	r := httptest.NewRequest(method, "/apisix/admin/"+path, strings.NewReader(body))
	r.Header.Set("X-API-KEY", "k")
	w := httptest.NewRecorder()
	s.api.ServeHTTP(w, r)
	if w.Code/100 != 2 {
		s.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return w.Header().Get("X-Unilb-Revision")
}

// l7admin runs a command and returns what it prints.
func (s *session) l7admin(want int, args ...string) string {
	s.t.Helper()
	var out bytes.Buffer
	args = append([]string{args[0], "--etcd", s.endpoint}, args[1:]...)
	if code := command(args[0], args[1:], func(string) string { return "" }, &out); code != want {
		s.t.Fatalf("%v: exit %d, want %d; %s", args, code, want, out.String())
	}
	return out.String()
}

func TestCommandsTellWhatChangedAndBringItBack(t *testing.T) {
	s := newSession(t)
	node := func(n int) string { return fmt.Sprintf(`{"nodes":{"10.0.0.%d:80":1}}`, n) }
	s.call("PUT", "upstreams/u", node(1))
	good := s.call("PUT", "routes/r", `{"uri":"/*","upstream_id":"u"}`)
	bad := s.call("PUT", "upstreams/u", node(2))
	s.call("PUT", "routes/new", `{"uri":"/new","upstream_id":"u"}`)
	s.call("DELETE", "routes/r", "")

	list := s.l7admin(0, "history", "--limit", "3")
	lines := strings.Split(list, "\n")
	if !strings.Contains(lines[0], "  admin  DELETE /apisix/admin/routes/r  ") || !strings.Contains(list, "  - routes/r\n") || !strings.Contains(list, "  + routes/new\n") ||
		!strings.Contains(list, "  ~ upstreams/u\n      nodes.10.0.0.1:80: 1 -> nothing\n      nodes.10.0.0.2:80: 1\n") || strings.Contains(list, "+ upstreams/u") {
		t.Errorf("history:\n%s", list)
	}
	if diff := s.l7admin(0, "diff", good); !strings.Contains(diff, "- routes/r") || !strings.Contains(diff, "+ routes/new") || !strings.Contains(diff, "~ upstreams/u") ||
		!strings.Contains(diff, "  > GET http://any.example/new from 198.51.100.77\n      route r, upstreams/u: 10.0.0.1:80*1\n   -> route new, upstreams/u: 10.0.0.2:80*1\n") {
		t.Errorf("diff to now:\n%s", diff)
	}
	// The gateways' router decides which request becomes what.
	const wins = "  > GET http://a.example/p from 198.51.100.77\n      route own, upstreams/u: 10.0.0.2:80*1\n   -> route wild, upstreams/u: 10.0.0.2:80*1\n"
	own := s.call("PUT", "routes/own", `{"host":"a.example","uri":"/p","upstream_id":"u"}`)
	s.call("PUT", "routes/wild", `{"host":"*.example","uri":"/p","priority":1,"upstream_id":"u"}`)
	if diff := s.l7admin(0, "diff", "--http-router", "radixtree_uri", own); !strings.Contains(diff, wins) {
		t.Errorf("diff with the router that looks for the path first:\n%s", diff)
	}
	if diff := s.l7admin(0, "diff", own); strings.Contains(diff, wins) {
		t.Errorf("diff with the router that looks for the host first:\n%s", diff)
	}
	s.call("DELETE", "routes/own", "")
	s.call("DELETE", "routes/wild", "")
	if diff := s.l7admin(0, "diff", good, bad); strings.Contains(diff, "routes/") || !strings.Contains(diff, "~ upstreams/u") {
		t.Errorf("diff of two:\n%s", diff)
	}
	before := s.l7admin(0, "history", "--json", "--limit", "0")
	s.l7admin(0, "rollback", "--dry-run", good)
	if after := s.l7admin(0, "history", "--json", "--limit", "0"); after != before {
		t.Error("a dry run wrote")
	}
	s.l7admin(0, "rollback", "--author", "jane", good)
	if diff := s.l7admin(0, "diff", good); diff != "" {
		t.Errorf("after the rollback:\n%s", diff)
	}
	var e struct {
		Author, What string
		Changes      []struct{ Key, What string }
	}
	if err := json.Unmarshal([]byte(s.l7admin(0, "history", "--json", "--limit", "1")), &e); err != nil || e.Author != "jane" || e.What != "rollback to "+good || len(e.Changes) != 3 {
		t.Errorf("newest entry: %+v, %v", e, err)
	}
	if list := s.l7admin(0, "history", "--key", "routes/n*", "--limit", "0"); strings.Contains(list, "upstreams") || !strings.Contains(list, "routes/new") {
		t.Errorf("history of one object:\n%s", list)
	}
}

func TestCommandsRefuseWhatMakesNoSense(t *testing.T) {
	s := newSession(t)
	s.call("PUT", "upstreams/u", `{"nodes":{"10.0.0.1:80":1}}`)
	for _, args := range [][]string{
		{"history", "extra"}, {"history", "--key", "["}, {"diff"}, {"diff", "x"}, {"diff", "--http-router", "radixtree", "1"}, {"diff", "1", "2", "3"}, {"rollback"}, {"rollback", "0"}, {"rollback", "--nope", "1"},
	} {
		s.l7admin(daemon.ExitBadFlags, args...)
	}
	s.l7admin(daemon.ExitFailed, "rollback", "99999")
	if code := run([]string{"history", "--help"}, env); code != 0 {
		t.Errorf("l7admin history --help: exit %d", code)
	}
}
