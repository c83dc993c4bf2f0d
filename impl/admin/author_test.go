package admin_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/history"
)

func TestEachChangeLeavesWhoMadeItInTheHistory(t *testing.T) {
	a := newAPI(t)
	send := func(method, path, body, id string, want int) int64 {
		t.Helper()
		req, err := http.NewRequest(method, a.url+"/apisix/admin/"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-API-KEY", key)
		req.Header.Set("X-Request-Id", id)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Fatalf("%s %s: got %d, want %d", method, path, resp.StatusCode, want)
		}
		var rev int64
		_, _ = fmt.Sscan(resp.Header.Get("X-Unilb-Revision"), &rev) // 0: it has none
		return rev
	}
	const up = `{"nodes":{"127.0.0.1:80":1}}`
	revs := []int64{
		send("PUT", "upstreams/u", up, "one", 201),
		send("POST", "upstreams", up, "two", 201),
		send("PATCH", "upstreams/u", `{"desc":"x"}`, strings.Repeat("x", 100), 200),
		send("DELETE", "upstreams/u", "", "", 200),
	}
	send("PUT", "upstreams/u", `{"nodes":1}`, "bad", 400)
	send("GET", "upstreams", "", "read", 200)
	log, err := history.Load(t.Context(), a.st, "/apisix")
	if err != nil || len(log.Entries) != len(revs) {
		t.Fatalf("%d entries, %v, want one for each change", len(log.Entries), err)
	}
	for i, want := range []struct{ what, request string }{
		{"PUT /apisix/admin/upstreams/u", "one"}, {"POST /apisix/admin/upstreams", "two"}, {"PATCH /apisix/admin/upstreams/u", ""}, {"DELETE /apisix/admin/upstreams/u", ""},
	} {
		e := log.Entries[i]
		if e.Revision != revs[i] || e.Author != "operator" || e.What != want.what || len(e.Changes) != 1 {
			t.Errorf("entry %d: got %+v, want %s by operator at %d", i, e, want.what, revs[i])
		}
		if want.request != "" && e.Request != want.request || len(e.Request) == 0 || len(e.Request) > 64 {
			t.Errorf("entry %d: request %q, want %q or one that is made up", i, e.Request, want.request)
		}
	}
	if e := log.Entries[3]; !strings.Contains(string(e.Changes[0].Before), `"desc":"x"`) || e.Changes[0].After != nil {
		t.Errorf("deletion: %+v", e.Changes)
	}
}
