package proxy

import (
	"fmt"
	"strings"
	"testing"
)

// What was found out for conditions is of one request: its time is that of its head, also
// when its body has come a minute later, and the next on the same memory has its own.
func TestVariablesAreOfOneRequest(t *testing.T) {
	g := newGateway(t)
	g.Handler = slow{g.Pipeline, g}
	for range 3 {
		g.put("routes/first", fmt.Sprintf(`{"uri":"/*","vars":[["msec","~~","^%d\\."],["post_arg_v","==","2"]],"upstream":{"nodes":{"10.0.0.1:80":1}}}`, g.now.Unix()))
		if a := g.Do(post("/x", formType, "v=2")); a.Status != 200 {
			t.Errorf("the time of the head is not that of the request: %+v", a)
		}
		if a := g.Do(post("/x", formType, "v=2")); a.Status != 404 {
			t.Errorf("the time of one request is that of the next: %+v", a)
		}
	}
	g.put("routes/first", `{"uri":"/*","vars":[["request_id","~~","^[0-7]"]],"upstream":{"nodes":{"10.0.0.1:80":1}}}`)
	seen := map[int]bool{}
	for range 100 { // all of which begin alike by a chance of 2^-99
		seen[g.Do(get("/x")).Status] = true
	}
	if !seen[200] || !seen[404] {
		t.Errorf("answers %v: the number of one request is that of the next", seen)
	}
}

// A condition looks at the body that the request has, and at that of no other.
func TestBodiesAreForgottenWithTheirRequest(t *testing.T) {
	g, _ := bodyGateway(t)
	for i := range 4 {
		r, want := post("/x", formType, "v=2"), "10.0.0.1:80"
		if i%2 == 1 {
			r, want = post("/x", jsonType, `{"a":{"n":6}}`), "10.0.0.2:80"
		}
		if a := g.Do(r); a.Status != 200 || a.Sent[0].Name != want {
			t.Errorf("request %d: %+v, want %s", i, a, want)
		}
	}
	deep := strings.Repeat("[", 65) + strings.Repeat("]", 65)
	for _, c := range []struct {
		body   string
		status int
	}{{deep, 413}, {`{"a":{"n":6}}`, 200}} {
		if a := g.Do(post("/x", jsonType, c.body)); a.Status != c.status {
			t.Errorf("%.20s: %+v, want %d", c.body, a, c.status)
		}
	}
}
