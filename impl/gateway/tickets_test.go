package gateway

import (
	"crypto/tls"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/store/etcdtest"
)

// turned is a clock that moves when a test says so.
type turned struct {
	mu    sync.Mutex
	at    time.Time
	waits time.Duration
	wake  chan time.Time
	looks chan struct{} // somebody waits anew, with what he does before it behind him
}

func (c *turned) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *turned) after(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	c.waits, c.wake = d, make(chan time.Time, 1)
	c.mu.Unlock()
	c.looks <- struct{}{}
	return c.wake
}

// settled waits until the gateway has looked at the clock, and waits for a next time.
func (c *turned) settled(t *testing.T) {
	t.Helper()
	select {
	case <-c.looks:
	case <-time.After(10 * time.Second):
		t.Fatal("nobody looks at the clock")
	}
	if c.waits <= 0 || c.waits > rotateAtLeast {
		t.Errorf("the next look is in %v, want one within %v", c.waits, rotateAtLeast)
	}
}

func (c *turned) turn(t *testing.T, d time.Duration) {
	t.Helper()
	c.mu.Lock()
	c.at = c.at.Add(d)
	c.mu.Unlock()
	c.wake <- c.at
	c.settled(t)
}

// pocket is the session that a client had first, which it shows to everybody.
type pocket struct{ first *tls.ClientSessionState }

func (p *pocket) Get(string) (*tls.ClientSessionState, bool) { return p.first, p.first != nil }
func (p *pocket) Put(_ string, s *tls.ClientSessionState) {
	if p.first == nil {
		p.first = s
	}
}

// resumes asks an address for / and tells whether the session in the pocket was resumed.
func resumes(t *testing.T, addr string, version uint16, p *pocket) bool {
	t.Helper()
	c, err := tls.Dial("tcp", addr, &tls.Config{ServerName: "a.example", InsecureSkipVerify: true, MaxVersion: version, ClientSessionCache: p})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // sockets take them
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")
	if b, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 404") { // with it TLS 1.3 brings tickets
		t.Fatalf("%q, %v", b, err)
	}
	return c.ConnectionState().DidResume
}

// A ticket is taken in its period and the next one, by all gateways with one secret.
func TestGatewaysWithOneSecretRotateTheKeysOfTicketsAlike(t *testing.T) {
	const period = 12 * time.Hour // as in docs/tls.md
	etcd := etcdtest.Start(t)
	var addrs []string
	var clocks []*turned
	for i, engine := range []string{EngineStd, EngineLoop} {
		c := &turned{at: time.Unix(0, 0).Add(40_000 * period), looks: make(chan struct{}, 1)}
		r := startOn(t, etcd, engine, func(o *Options) {
			o.Registration.Name = fmt.Sprint("test/gw", i)
			o.TicketSecret = []byte(strings.Repeat("s", 32))
			o.tickets = ticketClock{now: c.now, after: c.after}
		})
		if i == 0 {
			r.put("/apisix", "ssls/a", sslObject(t, "a.example"))
		} else {
			r.put("/apisix", "routes/1", `{"uri":"/other","upstream":{"nodes":{"127.0.0.1:1":1}}}`) // and what was put before is there
		}
		c.settled(t)
		addrs, clocks = append(addrs, r.secure), append(clocks, c)
	}
	tickets := map[uint16]*pocket{tls.VersionTLS12: {}, tls.VersionTLS13: {}}
	look := func(when string, want bool) {
		t.Helper()
		for version, p := range tickets {
			for i, addr := range addrs {
				if got := resumes(t, addr, version, p); got != want {
					t.Errorf("%s, %s, gateway %d: resumed %t, want %t", when, tls.VersionName(version), i, got, want)
				}
			}
		}
	}
	for version, p := range tickets {
		if resumes(t, addrs[0], version, p); p.first == nil {
			t.Fatalf("%s: no ticket", tls.VersionName(version))
		}
	}
	look("at once", true)
	for _, c := range clocks {
		c.turn(t, period)
	}
	look("a period later", true)
	newer := &pocket{}
	resumes(t, addrs[1], tls.VersionTLS13, newer)
	for _, c := range clocks {
		c.turn(t, period)
	}
	look("two periods later", false)
	if !resumes(t, addrs[0], tls.VersionTLS13, newer) {
		t.Error("a ticket of the last period, of the other gateway, is not taken")
	}
}
