package gateway

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/balance"
	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
	"github.com/unilb/unilb/impl/obs/meter"
	"github.com/unilb/unilb/impl/proxy"
)

type allUsable struct{}

func (allUsable) Usable(int) bool { return true }

// BenchmarkHeads is what a request of HTTP/1.1 costs beside the kernel and the event
// loop: heads are read, routed among ten thousand, edited, counted and written.
func BenchmarkHeads(b *testing.B) {
	const routes, ofHost = 10_000, 10
	changes := []config.Change{{Kind: config.Upstreams, ID: "u", Key: "upstreams/u", Create: 1, Value: []byte(
		`{"id":"u","type":"roundrobin","scheme":"http","pass_host":"pass","hash_on":"vars","nodes":[{"host":"127.0.0.1","port":9000,"weight":1,"priority":0}]}`)}}
	for i := range routes {
		id := fmt.Sprintf("r%d", i)
		changes = append(changes, config.Change{Kind: config.Routes, ID: id, Key: "routes/" + id, Create: int64(i + 2), Value: fmt.Appendf(nil,
			`{"id":%q,"uri":"/r%d/*","host":"h%d.example","upstream_id":"u","status":1}`, id, i, i/ofHost)})
	}
	snap, d := (&config.Snapshot{}).Apply(changes)
	for k, err := range d.Refused {
		b.Fatalf("%s refused: %v", k, err)
	}
	p := proxy.New(proxy.Options{Meter: meter.New(1, 0), Health: func(*config.Upstream) balance.Usable { return allUsable{} }})
	p.Use(snap, nil)
	client, local := netip.MustParseAddrPort("127.0.0.1:40000"), netip.MustParseAddrPort("127.0.0.1:8080")
	request := []byte("GET /r5005/index.html HTTP/1.1\r\nHost: h500.example\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n")
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 128\r\n\r\n")
	var x exchange.Exchange
	var rf, af h1.Framing
	now := time.Now()
	out := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		x.Reset(0, nil)
		var s h1.Scan
		n, err := s.Head(request, h1.MaxHead, h1.Request)
		if err != nil || n == 0 {
			b.Fatal(n, err)
		}
		if err := h1.ParseRequest(x.Arena.CopyBytes(request[:n]), &x.Request, &x.Arena, &rf); err != nil {
			b.Fatal(err)
		}
		x.Request.Scheme, x.Request.Remote, x.Request.Local, x.Request.Stable, x.Now = "http", client, local, true, now
		if v := p.OnRequest(&x); v != exchange.Forward {
			b.Fatal(v, x.Answer.Status)
		}
		out = h1.AppendRequest(out[:0], &x, h1.RequestFraming(&x.Request))
		s = h1.Scan{}
		if n, err = s.Head(answer, h1.MaxHead, h1.Answer); err != nil || n == 0 {
			b.Fatal(n, err)
		}
		if err := h1.ParseAnswer(answer[:n], x.Request.Method, &x.Response, &af); err != nil {
			b.Fatal(err)
		}
		if v := p.OnResponse(&x); v != exchange.Continue {
			b.Fatal(v)
		}
		out = h1.AppendAnswer(out[:0], exchange.HTTP11, x.Response.Status, x.Response.Fields, x.ResponseEdits, h1.OutFraming{Length: af.Length, Date: "Thu, 26 Nov 2026 10:00:00 GMT"})
		p.OnDone(&x, exchange.Record{Status: 200, Sent: 128, Duration: time.Millisecond})
	}
}
