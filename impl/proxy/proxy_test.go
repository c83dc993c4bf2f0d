package proxy

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/balance"
	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/exchange"
	"github.com/unilb/unilb/impl/exchange/memory"
)

// gateway is a pipeline over an in-memory engine.
type gateway struct {
	*Pipeline
	memory.Engine
	t    *testing.T
	snap *config.Snapshot
	log  []string
	now  time.Time
	bad  map[int]bool
}

func newGateway(t *testing.T) *gateway {
	g := &gateway{t: t, snap: &config.Snapshot{}, now: time.Unix(1000, 0), bad: map[int]bool{}}
	g.Pipeline = New(Options{
		Now:    func() time.Time { return g.now },
		Health: func(*config.Upstream) balance.Usable { return g },
		Log: func(x *exchange.Exchange, e Entry) {
			g.log = append(g.log, fmt.Sprintf("%s %s %d route=%s up=%s target=%s tries=%v %s", x.Request.Method, x.Request.Target,
				e.Status, e.Route, e.Upstream, e.Target, e.Tries, e.Failure))
		},
	})
	g.Engine = memory.Engine{Handler: g.Pipeline, Now: func() time.Time { return g.now }, Upstream: func(memory.Sent) memory.Reply { return memory.Reply{Status: 200, Chunks: []string{"ok"}} }}
	return g
}

func (g *gateway) Usable(i int) bool { return !g.bad[i] }

// put puts objects, given as "routes/1" and JSON.
func (g *gateway) put(pairs ...string) {
	g.t.Helper()
	kinds := map[string]config.Kind{"routes": config.Routes, "services": config.Services, "upstreams": config.Upstreams, "ssls": config.SSLs}
	var cs []config.Change
	for i := 0; i < len(pairs); i += 2 {
		dir, id, _ := strings.Cut(pairs[i], "/")
		cs = append(cs, config.Change{Kind: kinds[dir], ID: id, Key: pairs[i], Value: []byte(pairs[i+1]), Create: int64(i + 1), Delete: pairs[i+1] == ""})
	}
	next, d := g.snap.Apply(cs)
	for k, err := range d.Refused {
		g.t.Fatalf("%s refused: %v", k, err)
	}
	g.snap = next
	g.Use(next, nil)
}

var (
	client = netip.MustParseAddrPort("198.51.100.7:40000")
	local  = netip.MustParseAddrPort("203.0.113.10:80")
)

func get(target string, fields ...exchange.Field) memory.Request {
	return memory.Request{Method: "GET", Target: target, Authority: "Shop.Example:80", Fields: fields, Remote: client, Local: local}
}

func value(f exchange.Fields, name string) string {
	v, _ := f.Get(name)
	return v
}

const twoNodes = `{"nodes":[{"host":"10.0.0.1","port":80,"weight":1},{"host":"10.0.0.2","port":80,"weight":1}]`

func TestRequestReachesItsTargetWithForwardingFields(t *testing.T) {
	g := newGateway(t)
	g.put("routes/1", `{"uri":"/a/*","upstream":{"nodes":{"10.0.0.1:8080":1}}}`)
	got := g.Do(get("/a/x?q=1", exchange.Field{Name: "X-Forwarded-For", Value: "192.0.2.1"}, exchange.Field{Name: "Connection", Value: "X-Secret, keep-alive"},
		exchange.Field{Name: "X-Secret", Value: "1"}, exchange.Field{Name: "Keep-Alive", Value: "5"}, exchange.Field{Name: "Upgrade", Value: "h2c"},
		exchange.Field{Name: "X-Real-IP", Value: "6.6.6.6"}, exchange.Field{Name: "Forwarded", Value: "for=6.6.6.6"}, exchange.Field{Name: "X-Keep", Value: "yes"},
		exchange.Field{Name: "X-Forwarded-Host", Value: "evil"}, exchange.Field{Name: "TE", Value: "trailers, deflate"}))
	if got.Status != 200 || got.Body != "ok" || len(got.Sent) != 1 {
		t.Fatalf("answer %+v", got)
	}
	s := got.Sent[0]
	if s.Name != "10.0.0.1:8080" || s.Target != "/a/x?q=1" || s.Plan.Host != "Shop.Example:80" {
		t.Errorf("sent to %s: %s host %s", s.Name, s.Target, s.Plan.Host)
	}
	for name, want := range map[string]string{"X-Forwarded-For": "192.0.2.1, 198.51.100.7", "X-Real-IP": "198.51.100.7", "X-Forwarded-Proto": "http",
		"X-Forwarded-Host": "shop.example", "X-Forwarded-Port": "80", "X-Keep": "yes", "TE": "trailers", "Forwarded": "", "Connection": "",
		"X-Secret": "", "Keep-Alive": "", "Upgrade": ""} {
		if v := value(s.Fields, name); v != want {
			t.Errorf("%s: %q, want %q", name, v, want)
		}
	}
	if value(got.Fields, "Server") != "APISIX/3.18.0" {
		t.Errorf("answer fields %v", got.Fields)
	}
}

func TestClientCannotHideItsAddressThroughConnection(t *testing.T) {
	g := newGateway(t)
	g.put("routes/1", `{"uri":"/*","upstream":{"nodes":{"10.0.0.1:80":1}}}`)
	s := g.Do(get("/", exchange.Field{Name: "Connection", Value: "X-Forwarded-For, x-real-ip"})).Sent[0]
	if value(s.Fields, "X-Forwarded-For") != "198.51.100.7" || value(s.Fields, "X-Real-IP") != "198.51.100.7" {
		t.Errorf("fields %v", s.Fields)
	}
}

// TestNothingOfABatchIsKept: with all requests of a batch in one poisoned
// buffer, what is sent, retried and logged must still be each request's own.
func TestNothingOfABatchIsKept(t *testing.T) {
	g := newGateway(t)
	g.put("routes/1", `{"uri":"/p/*","upstream":`+twoNodes+`}}`)
	g.Upstream = func(s memory.Sent) memory.Reply {
		if s.Name == "10.0.0.1:80" {
			return memory.Reply{Failure: &exchange.Failure{Kind: exchange.FailedConnect, Replayable: true, Err: errors.New("refused")}}
		}
		return memory.Reply{Status: 200, Fields: exchange.Fields{{Name: "X-Echo", Value: s.Target}, {Name: "Connection", Value: "X-Gone"}, {Name: "X-Gone", Value: "1"}}, Chunks: []string{"he", "llo"}}
	}
	for range 3 { // exchanges and buffers are reused
		var reqs []memory.Request
		for i := range 8 {
			reqs = append(reqs, get(fmt.Sprintf("/p/%d", i), exchange.Field{Name: "X-N", Value: fmt.Sprint(i)}))
		}
		reqs = append(reqs, get("/none"))
		g.log = nil
		for i, a := range g.Batch(reqs...) {
			if i == 8 {
				if a.Status != 404 || a.Body != "{\"error_msg\":\"404 Route Not Found\"}\n" {
					t.Fatalf("no route: %+v", a)
				}
				continue
			}
			last := a.Sent[len(a.Sent)-1]
			if a.Status != 200 || a.Body != "hello" || value(a.Fields, "X-Echo") != reqs[i].Target || value(a.Fields, "X-Gone") != "" || value(last.Fields, "X-N") != fmt.Sprint(i) || last.Target != reqs[i].Target {
				t.Fatalf("request %d: %+v", i, a)
			}
		}
		for _, line := range g.log {
			if strings.ContainsRune(line, '\uFFFD') || !strings.HasPrefix(line, "GET /") || strings.Contains(line, string([]byte{memory.Poison})) {
				t.Errorf("log line %q", line)
			}
		}
	}
}

func TestUnhealthyTargetGetsNoRequest(t *testing.T) {
	g := newGateway(t)
	g.put("routes/1", `{"uri":"/*","upstream":`+twoNodes+`}}`)
	g.bad[0] = true
	for range 6 {
		if a := g.Do(get("/")); a.Sent[0].Name != "10.0.0.2:80" {
			t.Fatalf("request went to %s", a.Sent[0].Name)
		}
	}
}

func TestUpstreamStatusIsShownFor5xxOnly(t *testing.T) {
	g := newGateway(t)
	g.put("routes/1", `{"uri":"/*","upstream":{"nodes":{"10.0.0.1:80":1}}}`)
	for status, want := range map[int]string{200: "", 404: "", 500: "500", 503: "503"} {
		g.Upstream = func(memory.Sent) memory.Reply { return memory.Reply{Status: status} }
		a := g.Do(get("/"))
		if a.Status != status || value(a.Fields, "X-APISIX-Upstream-Status") != want || len(a.Sent) != 1 {
			t.Errorf("%d: %+v", status, a)
		}
	}
}

func TestUpgradeOnlyWhereTheRouteAllowsIt(t *testing.T) {
	g := newGateway(t)
	up := `"upstream":{"nodes":{"10.0.0.1:80":1}}}`
	g.put("routes/1", `{"uri":"/ws","enable_websocket":true,`+up, "routes/2", `{"uri":"/plain",`+up)
	for path, want := range map[string]bool{"/ws": true, "/plain": false} {
		r := get(path)
		r.Upgrade = "websocket"
		if s := g.Do(r).Sent[0]; s.Plan.Upgrade != want {
			t.Errorf("%s: upgrade %v, want %v", path, s.Plan.Upgrade, want)
		}
	}
}

func TestPipelineAllocatesLittle(t *testing.T) {
	g := newGateway(t)
	g.o.Log = nil
	g.put("routes/1", `{"uri":"/*","upstream":`+twoNodes+`}}`)
	var x exchange.Exchange
	fields := exchange.Fields{{Name: "Accept", Value: "*/*"}, {Name: "User-Agent", Value: "t"}}
	if n := testing.AllocsPerRun(200, func() {
		x.Reset(0, nil)
		x.Request.Method, x.Request.Path, x.Request.Host, x.Request.Authority = "GET", "/a", "shop", "shop"
		x.Request.Remote, x.Request.Local = client, local
		x.Request.Fields = append(x.Request.Fields, fields...)
		g.OnRequest(&x)
		x.Response.Status = 200
		g.OnResponse(&x)
		g.OnDone(&x, exchange.Record{Status: 200})
	}); n != 0 {
		t.Errorf("an exchange allocates %v times in the pipeline", n)
	}
}

func TestFieldsOfOneConnectionGoNoFurther(t *testing.T) {
	g := newGateway(t)
	g.put("routes/1", `{"uri":"/*","upstream":{"nodes":{"10.0.0.1:80":1}}}`)
	var both exchange.Fields
	for _, name := range []string{"Connection", "Keep-Alive", "Proxy-Connection", "TE", "Upgrade", "Proxy-Authorization", "Proxy-Authenticate", "Proxy-Authentication-Info", "X-Keep"} {
		both = append(both, exchange.Field{Name: name, Value: "x"})
	}
	g.Upstream = func(memory.Sent) memory.Reply { return memory.Reply{Status: 407, Fields: both} }
	a := g.Do(get("/", both...))
	names := func(f exchange.Fields) (out []string) {
		for _, name := range both {
			if f.Has(name.Name) {
				out = append(out, name.Name)
			}
		}
		return out
	}
	// What only the other direction gives a meaning passes as any unknown field.
	if got := strings.Join(names(a.Sent[0].Fields), " "); got != "Proxy-Authenticate Proxy-Authentication-Info X-Keep" {
		t.Errorf("request keeps %s", got)
	}
	if got := strings.Join(names(a.Fields), " "); got != "TE Proxy-Authorization X-Keep" {
		t.Errorf("answer keeps %s", got)
	}
}
