package main

import (
	"bytes"
	"cmp"
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
	st       *store.Store
}

func newSession(t *testing.T) *session {
	t.Helper()
	return (&session{t: t, endpoint: etcdtest.Start(t).Endpoint()}).over(admin.Options{})
}

// over is the same etcd by an Admin API with other options.
func (s *session) over(o admin.Options) *session {
	t := s.t
	t.Helper()
	st, err := store.Open(store.Options{Endpoints: []string{s.endpoint}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	o.Store, o.Keys = &history.Store{Store: st, Objects: cmp.Or(o.Prefix, "/apisix")}, []admin.Key{{Secret: "k", Role: admin.Admin, Name: "admin"}}
	api, err := admin.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return &session{t, api, s.endpoint, st}
}

// call asks the Admin API and returns the revision of the write.
func (s *session) call(method, path, body string) string {
	s.t.Helper()
	w := s.ask(method, path, body)
	if w.Code/100 != 2 {
		s.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return w.Header().Get("X-Unilb-Revision")
}

// ask asks the Admin API; headers are names and values by turns.
func (s *session) ask(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/apisix/admin/"+path, strings.NewReader(body))
	r.Header.Set("X-API-KEY", "k")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.api.ServeHTTP(w, r)
	return w
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
	s.l7admin(daemon.ExitBadFlags, "rollback", "1", "2", "--dry-run")
	if code := run([]string{"history", "--help"}, env); code != 0 {
		t.Errorf("l7admin history --help: exit %d", code)
	}
}

// A whole configuration that was rolled back is not that of its digest any more.
func TestRollbackOfAWholeConfigurationLeavesItNoDigest(t *testing.T) {
	s := newSession(t).over(admin.Options{Prefix: "/nc2", Standalone: true})
	config := func(uri, version string) string {
		return fmt.Sprintf(`{"routes":[{"id":"r","uri":"/%s","upstream_id":"u"}],"routes_conf_version":%s,"upstreams":[{"id":"u","nodes":{"10.0.0.1:80":1}}],"upstreams_conf_version":5}`, uri, version)
	}
	put := func(want int, body, digest string) string {
		t.Helper()
		w := s.ask("PUT", "configs", body, "X-Digest", digest)
		if w.Code != want {
			t.Errorf("PUT of %s: got %d %s, want %d", digest, w.Code, w.Body, want)
		}
		return w.Header().Get("X-Unilb-Revision")
	}
	is := func(digest, uri string) {
		t.Helper()
		w := s.ask("GET", "configs", "")
		if got := w.Header().Get("X-Digest"); got != digest || !strings.Contains(w.Body.String(), `"uri":"/`+uri+`"`) || w.Header().Get("X-Last-Modified") == "" {
			t.Errorf("got digest %q and %s, want %q, /%s and when it was", got, w.Body, digest, uri)
		}
	}
	one := put(202, config("one", "10"), "v1")
	put(202, config("two", "20"), "v2")
	s.l7admin(0, "rollback", "--prefix", "/nc2", "--dry-run", one)
	is("v2", "two")
	s.l7admin(0, "rollback", "--prefix", "/nc2", one)
	is("", "one")
	put(400, config("one", "19"), "v1") // versions do not go back
	put(202, config("two", "20"), "v2")
	is("v2", "two")
	put(204, config("two", "20"), "v2")
}

// What is told of an entry is about the directory, and true of what is gone.
func TestHistoryTellsOfOneDirectoryAndOfWhatIsGone(t *testing.T) {
	s := newSession(t)
	other := s.over(admin.Options{Prefix: "/nc2"})
	s.call("PUT", "routes/r", `{"uri":"/r","plugins":{"key-auth":{}},"upstream":{"nodes":{}}}`)
	other.call("PUT", "routes/other", `{"uri":"/o","upstream":{"nodes":{}}}`)
	s.call("PUT", "routes/t?ttl=600", `{"uri":"/t","upstream":{"nodes":{}}}`)
	list := s.l7admin(0, "history")
	if !strings.Contains(list, "      plugins.key-auth: {}\n") || !strings.Contains(list, "  + routes/t, for 600 s\n") || strings.Contains(list, "other") {
		t.Errorf("history:\n%s", list)
	}
	if list := s.l7admin(0, "history", "--prefix", "/nc2"); !strings.Contains(list, "+ routes/other") || strings.Contains(list, "routes/r") {
		t.Errorf("history of the other directory:\n%s", list)
	}
	for _, key := range []string{"/apisix/routes/t", "/apisix/routes/r"} {
		if _, err := s.st.Commit(t.Context(), nil, store.Op{Key: key, Delete: true}); err != nil {
			t.Fatal(err)
		}
	}
	list = s.l7admin(0, "history")
	if !strings.Contains(list, "  + routes/t, for 600 s, gone since\n") || !strings.Contains(list, "  ? routes/r: gone since: expired, or deleted by somebody who leaves no entry\n") {
		t.Errorf("history of what is gone:\n%s", list)
	}
}

// Flags may stand behind revisions, as with other commands of such systems.
func TestFlagsMayFollowRevisions(t *testing.T) {
	s := newSession(t)
	rev := s.call("PUT", "upstreams/u", `{"nodes":{"10.0.0.1:80":1}}`)
	s.call("PUT", "upstreams/u", `{"nodes":{"10.0.0.2:80":1}}`)
	now := s.call("PUT", "routes/r", `{"uri":"/r","upstream_id":"u"}`)
	if out := s.l7admin(0, "rollback", rev, "--dry-run", "--key", "upstreams/u"); !strings.Contains(out, "~ upstreams/u") || strings.Contains(out, "routes/r") {
		t.Errorf("rollback: %s", out)
	}
	if out := s.l7admin(0, "diff", rev, "--key", "routes/*", now, "--json"); !strings.Contains(out, `"key":"/apisix/routes/r"`) || strings.Contains(out, "upstreams/u\",") {
		t.Errorf("diff: %s", out)
	}
}

func TestRollbackThatDeletesMostWantsToBeToldSo(t *testing.T) {
	s := newSession(t)
	first := s.call("PUT", "upstreams/u", `{"nodes":{"10.0.0.1:80":1}}`)
	s.call("PUT", "routes/r", `{"uri":"/r","upstream_id":"u"}`)
	s.l7admin(0, "rollback", first) // a half is not most
	s.call("PUT", "routes/r", `{"uri":"/r","upstream_id":"u"}`)
	last := s.call("PUT", "routes/s", `{"uri":"/s","upstream_id":"u"}`)
	s.l7admin(daemon.ExitFailed, "rollback", "1")
	if out := s.l7admin(0, "diff", last); out != "" {
		t.Errorf("it was refused and changed\n%s", out)
	}
	s.l7admin(0, "rollback", "1", "--dry-run")
	s.l7admin(0, "rollback", "1", "--yes")
	if out := s.l7admin(0, "diff", "1"); out != "" {
		t.Errorf("with --yes there is left\n%s", out)
	}
}

// A route that comes back is younger than those that are equal otherwise, so that one of them
// may win now that did not when the route was there first.
func TestRollbackTellsWhichRequestsGoToAnEqualRoute(t *testing.T) {
	s := newSession(t)
	s.call("PUT", "upstreams/u", `{"nodes":{"10.0.0.1:80":1}}`)
	s.call("PUT", "routes/first", `{"uri":"/x","upstream_id":"u"}`)
	good := s.call("PUT", "routes/second", `{"uri":"/x","upstream_id":"u"}`)
	const elsewhere = "  > GET http://any.example/x from 198.51.100.77\n      route first, upstreams/u: 10.0.0.1:80*1\n   -> route second, upstreams/u: 10.0.0.1:80*1\n"
	s.call("DELETE", "routes/second", "")
	if out := s.l7admin(0, "rollback", good); strings.Contains(out, "  > ") {
		t.Errorf("the younger came back and won:\n%s", out)
	}
	s.call("DELETE", "routes/first", "")
	for _, args := range [][]string{{"rollback", good, "--dry-run"}, {"rollback", good}, {"diff", good}} {
		if out := s.l7admin(0, args...); !strings.HasSuffix(out, elsewhere) || strings.Count(out, "  > ") != 1 {
			t.Errorf("%v:\n%s\nwant at its end\n%s", args, out, elsewhere)
		}
	}
}
