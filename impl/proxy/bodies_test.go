package proxy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
	"github.com/unilb/unilb/impl/exchange/memory"
)

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

// bodyGateway has a route for what is in bodies, one for the rest, and one without such
// conditions.
func bodyGateway(t *testing.T) (g *gateway, calls *int) {
	g = newGateway(t)
	g.put("routes/form", `{"uri":"/*","priority":3,"vars":[["post_arg_v","==","2"]],"upstream":{"nodes":{"10.0.0.1:80":1}}}`,
		"routes/json", `{"uri":"/*","priority":2,"vars":[["post_arg.a.n",">",5]],"upstream":{"nodes":{"10.0.0.2:80":1}}}`,
		"routes/rest", `{"uri":"/*","upstream":{"nodes":{"10.0.0.3:80":1}}}`,
		"routes/plain", `{"uri":"/plain","vars":[["arg_v","!","==","2"]],"upstream":{"nodes":{"10.0.0.4:80":1}}}`)
	calls = new(int)
	g.Handler = counted{g.Pipeline, calls}
	return g, calls
}

// counted counts the calls for requests.
type counted struct {
	*Pipeline
	calls *int
}

func (c counted) OnRequest(x *exchange.Exchange) exchange.Verdict {
	*c.calls++
	return c.Pipeline.OnRequest(x)
}

func post(target, contentType, body string) memory.Request {
	r := get(target, exchange.Field{Name: "Content-Type", Value: contentType})
	r.Method, r.Body = "POST", body
	return r
}

func TestRouteIsFoundAnewWithTheBody(t *testing.T) {
	for _, c := range []struct {
		what  string
		r     memory.Request
		want  string // target
		calls int
	}{
		{"a form that fits", post("/x", formType, "a=1&v=2"), "10.0.0.1:80", 2},
		{"a form that does not", post("/x", formType, "v=3"), "10.0.0.3:80", 2},
		{"JSON that fits", post("/x", jsonType, `{"a":{"n":6}}`), "10.0.0.2:80", 2},
		{"JSON that does not", post("/x", jsonType, `{"a":{"n":5}}`), "10.0.0.3:80", 2},
		{"JSON that is none", post("/x", jsonType, `{"a":`), "10.0.0.3:80", 2},
		{"another type", post("/x", "text/plain", "v=2"), "10.0.0.3:80", 1},
		{"no body", post("/x", formType, ""), "10.0.0.3:80", 1},
		{"a route without such conditions", post("/plain", formType, "v=2"), "10.0.0.4:80", 1},
	} {
		g, calls := bodyGateway(t)
		a := g.Do(c.r)
		if a.Status != 200 || len(a.Sent) != 1 || a.Sent[0].Name != c.want || *calls != c.calls {
			t.Errorf("%s: %+v after %d calls, want %s after %d", c.what, a, *calls, c.want, c.calls)
		} else if s := a.Sent[0]; s.Body != c.r.Body || s.Target != c.r.Target || value(s.Fields, "Content-Type") != c.r.Fields[0].Value {
			t.Errorf("%s: sent %+v", c.what, s)
		}
		if held, refused := g.Bodies(); held != 0 || refused != 0 {
			t.Errorf("%s: %d bytes held, %d refused", c.what, held, refused)
		}
	}
}

// Strings of the request are views of a buffer that is gone when its body is there.
func TestNothingOfARequestIsLostWhileItsBodyIsWaitedFor(t *testing.T) {
	g, _ := bodyGateway(t)
	g.o.Paths = Paths{EncodedSlash: true, TailSlash: true}
	g.put("routes/form", `{"uris":["/a/*","/b%2Fc"],"vars":[["post_arg_v","==","2"]],"upstream":{"nodes":{"10.0.0.1:80":1}}}`)
	var reqs []memory.Request
	for i := range 6 {
		reqs = append(reqs, post(fmt.Sprintf("/a/%d/?q=%d", i, i), formType, fmt.Sprintf("v=2&i=%d", i)), post("/b%2fc/", formType, "v=2"))
	}
	for range 2 {
		for i, a := range g.Batch(reqs...) {
			if a.Status != 200 || len(a.Sent) != 1 || a.Sent[0].Name != "10.0.0.1:80" || a.Sent[0].Target != reqs[i].Target || a.Sent[0].Body != reqs[i].Body {
				t.Errorf("request %d: %+v", i, a)
			}
		}
	}
	for _, line := range g.log {
		if !strings.HasPrefix(line, "POST /") || !strings.Contains(line, "route=form") {
			t.Errorf("log line %q", line)
		}
	}
}

func TestBodyThatIsTooLongIsAnswered413(t *testing.T) {
	g, calls := bodyGateway(t)
	g.bodies.bound(Bodies{Max: 10})
	for _, c := range []struct {
		what   string
		r      memory.Request
		length int64 // that the head says; 0: that of the body
		status int
		calls  int
	}{
		{"as long as it may be", post("/x", formType, "v=3&a=4567"), 0, 200, 2},
		{"longer", post("/x", formType, "v=3&a=45678"), 0, 413, 1},
		{"longer, of another type", post("/x", "text/plain", "v=3&a=45678"), 0, 200, 1},
		{"longer, where nobody asks", post("/plain", formType, "v=3&a=45678"), 0, 200, 1},
		{"longer, of a length that nobody said", post("/x", formType, "v=3&a=45678"), -1, 413, 2},
		{"of a length that nobody said", post("/x", formType, "v=3&a=4567"), -1, 200, 2},
	} {
		*calls, g.log = 0, nil
		g.Handler = lengthless{counted{g.Pipeline, calls}, c.length}
		a := g.Do(c.r)
		if a.Status != c.status || *calls != c.calls || (len(a.Sent) == 1) != (c.status == 200) {
			t.Errorf("%s: %+v after %d calls", c.what, a, *calls)
		}
		if c.status == 413 && (!strings.Contains(a.Body, "413 Request Entity Too Large") || !strings.Contains(g.log[0], "a condition of a route needs the body, which has more than 10 bytes")) {
			t.Errorf("%s: %s, log %q", c.what, a.Body, g.log)
		}
		if held, _ := g.Bodies(); held != 0 {
			t.Errorf("%s: %d bytes held", c.what, held)
		}
	}
}

// lengthless has requests that do not say how long their body is.
type lengthless struct {
	counted
	length int64
}

func (l lengthless) OnRequest(x *exchange.Exchange) exchange.Verdict {
	if l.length != 0 {
		x.Request.BodyLength = l.length
	}
	return l.counted.OnRequest(x)
}

func TestBodyBeyondWhatIsReadOfOneIsAnswered413(t *testing.T) {
	g, _ := bodyGateway(t)
	a := g.Do(post("/x", jsonType, strings.Repeat("[", 65)+strings.Repeat("]", 65)))
	if a.Status != 413 || len(a.Sent) != 0 || !strings.Contains(g.log[0], "route= ") || !strings.HasSuffix(g.log[0], "JSON nested deeper than 64") {
		t.Errorf("%+v, log %q", a, g.log)
	}
}

// Bodies are charged as they come, whatever heads say.
func TestBodiesThatAreHeldAreBounded(t *testing.T) {
	g, _ := bodyGateway(t)
	g.bodies.bound(Bodies{Max: 100, Total: 250})
	begin := func(length int64) *exchange.Exchange {
		x := &exchange.Exchange{}
		x.Reset(0, nil)
		x.Request.Method, x.Request.Path, x.Request.Host, x.Request.BodyLength = "POST", "/x", "h", length
		x.Request.Fields = exchange.Fields{{Name: "Content-Type", Value: formType}}
		if v := g.OnRequest(x); v != exchange.Collect || x.CollectLimit != 100 {
			t.Fatalf("verdict %d, limit %d", v, x.CollectLimit)
		}
		return x
	}
	held := func(want int64) {
		t.Helper()
		if got, _ := g.Bodies(); got != want {
			t.Errorf("%d bytes held, want %d", got, want)
		}
	}
	var trickling []*exchange.Exchange
	for range 100 {
		trickling = append(trickling, begin(-1))
	}
	held(0)
	for _, x := range trickling {
		if !x.Charge(1) {
			t.Fatal("no room")
		}
	}
	first, second, third := begin(-1), begin(100), begin(60)
	held(100)
	if !first.Charge(3) || !second.Charge(100) || !third.Charge(47) || third.Charge(1) {
		t.Fatal("250 bytes are held, or fewer")
	}
	third.Request.Body.State = exchange.BodyNoRoom
	if v := g.OnRequest(third); v != exchange.Respond || third.Answer.Status != 503 {
		t.Fatalf("no room: verdict %d, status %d", v, third.Answer.Status)
	}
	held(250)
	g.OnDone(third, exchange.Record{Status: 503})
	if _, refused := g.Bodies(); refused != 1 || !strings.HasSuffix(g.log[0], "too many bodies are held for conditions: 250 bytes, 47 of them of this one, and its next are above 250") {
		t.Errorf("%d refused, log %q", refused, g.log)
	}
	held(203)

	first.Request.Body.State, first.Request.Body.Bytes = exchange.BodyWhole, []byte("v=2")
	if v := g.OnRequest(first); v != exchange.Forward || first.Plan.Target.Name != "10.0.0.1:80" || first.Request.Body.Bytes != nil {
		t.Fatalf("verdict %d, %+v", v, first.Plan)
	}
	held(203)
	g.OnDone(second, exchange.Record{Cut: true}) // the client went away
	held(103)
	g.OnDone(first, exchange.Record{Status: 200})
	held(100)
	for _, x := range trickling {
		g.OnDone(x, exchange.Record{Cut: true})
	}
	held(0)
}

// A slow upload is not the fault of targets.
func TestRetriesCountTheirTimeFromTheBodyOn(t *testing.T) {
	g, _ := bodyGateway(t)
	g.put("routes/form", `{"uri":"/*","vars":[["post_arg_v","==","2"]],"upstream":{"retry_timeout":5,"nodes":{"10.0.0.1:80":1,"10.0.0.2:80":1}}}`)
	g.Handler = slow{g.Pipeline, g}
	g.Upstream = func(memory.Sent) memory.Reply {
		return memory.Reply{Failure: &exchange.Failure{Kind: exchange.FailedConnect}}
	}
	if a := g.Do(post("/x", formType, "v=2")); a.Status != 502 || len(a.Sent) != 2 {
		t.Errorf("%d tries: %+v", len(a.Sent), a)
	}
}

// slow has bodies that take long.
type slow struct {
	*Pipeline
	g *gateway
}

func (s slow) OnRequest(x *exchange.Exchange) exchange.Verdict {
	v := s.Pipeline.OnRequest(x)
	if v == exchange.Collect {
		s.g.now = s.g.now.Add(time.Minute)
	}
	return v
}

// The snapshot of the head is the one of the request: a route that is deleted in between
// is still found.
func TestRouteIsFoundInTheSnapshotOfTheHead(t *testing.T) {
	g, _ := bodyGateway(t)
	g.Handler = editing{g.Pipeline, func() { g.put("routes/form", "", "routes/rest", "") }}
	if a := g.Do(post("/x", formType, "v=2")); a.Status != 200 || a.Sent[0].Name != "10.0.0.1:80" {
		t.Errorf("%+v", a)
	}
	if a := g.Do(post("/x", formType, "v=2")); a.Status != 404 {
		t.Errorf("afterwards %+v", a)
	}
}

// editing has the configuration changed while a body is waited for.
type editing struct {
	*Pipeline
	edit func()
}

func (e editing) OnRequest(x *exchange.Exchange) exchange.Verdict {
	v := e.Pipeline.OnRequest(x)
	if v == exchange.Collect {
		e.edit()
	}
	return v
}
