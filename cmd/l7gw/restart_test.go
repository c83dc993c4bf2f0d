package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/unilb/unilb/impl/certs/certstest"
	"github.com/unilb/unilb/impl/store"
)

// part is what the long download comes in.
var part = strings.Repeat("x", 16<<10)

// target is what the gateway forwards to: it says what it was sent, gives a part of a
// download whenever one is asked for, and echoes the lines of an upgraded connection.
func target(t *testing.T, parts <-chan struct{}) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Upgrade") != "":
			c, b, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: lines\r\n\r\n")
			for {
				line, err := b.ReadString('\n')
				if err != nil {
					return
				}
				_, _ = io.WriteString(c, line)
			}
		case r.URL.Path == "/download":
			for range parts {
				_, _ = io.WriteString(w, part)
				_ = http.NewResponseController(w).Flush()
			}
		default:
			b, _ := io.ReadAll(r.Body)
			_, _ = w.Write(b)
		}
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// configure writes objects and waits until they are in force.
func (g *generations) configure(objects map[string]string) {
	g.t.Helper()
	st, err := store.Open(store.Options{Endpoints: []string{g.etcd.Endpoint()}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		g.t.Fatal(err)
	}
	defer st.Close()
	var ops []store.Op
	for key, value := range objects {
		ops = append(ops, store.Op{Key: key, Value: []byte(value)})
	}
	rev, err := st.Commit(context.Background(), nil, ops...)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, prefix := range []string{"/apisix", "/unilb/listeners"} {
		if err := g.ask(fmt.Sprintf("/status/applied?prefix=%s&revision=%d&timeout=30s", prefix, rev), new(any)); err != nil {
			g.t.Fatal(err)
		}
	}
}

// route is a route of everything to a target, with a certificate for a.example and a
// listener object.
func (g *generations) route(target, object string) {
	g.t.Helper()
	cert, key := certstest.PEM(g.t, certstest.SelfSigned(g.t, "a.example"))
	ssl, err := json.Marshal(map[string]any{"sni": "a.example", "cert": cert, "key": key})
	if err != nil {
		g.t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(object)
	g.configure(map[string]string{
		"/apisix/ssls/1":      string(ssl),
		"/apisix/routes/1":    `{"uri":"/*","enable_websocket":true,"upstream":{"nodes":{"` + target + `":1}}}`,
		"/unilb/listeners/ob": fmt.Sprintf(`{"id":"ob","address":"%s","port":%s,"protocol":"http"}`, host, port),
	})
}

// load is requests without end of one kind. They are POST: the library repeats none of
// them, so that every one that is lost is seen.
type load struct {
	kind, url string
	client    *http.Client
	sent      atomic.Int64
}

func (l *load) run(ctx context.Context) error {
	defer l.client.CloseIdleConnections()
	for ctx.Err() == nil {
		want := fmt.Sprint(l.kind, l.sent.Load())
		resp, err := l.client.Post(l.url, "text/plain", strings.NewReader(want))
		if err != nil {
			return err
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 200 || string(b) != want {
			return fmt.Errorf("answer %d %q %w, want %q", resp.StatusCode, b, err, want)
		}
		l.sent.Add(1)
	}
	return nil
}

func loads(g *generations, object string) []*load {
	client := func(name string, change func(*http.Transport)) *http.Client {
		tr := &http.Transport{TLSClientConfig: &tls.Config{ServerName: name, InsecureSkipVerify: true}}
		change(tr)
		return &http.Client{Transport: tr, Timeout: longest}
	}
	kept := func(*http.Transport) {}
	anew := func(tr *http.Transport) { tr.DisableKeepAlives = true }
	two := func(tr *http.Transport) { tr.ForceAttemptHTTP2 = true }
	known := func(tr *http.Transport) {
		tr.Protocols = new(http.Protocols)
		tr.Protocols.SetUnencryptedHTTP2(true)
	}
	return []*load{
		{kind: "kept", url: "http://" + g.data, client: client("", kept)},
		{kind: "fresh", url: "http://" + g.data, client: client("", anew)},
		{kind: "object", url: "http://" + object, client: client("", anew)},
		{kind: "tls kept", url: "https://" + g.secure, client: client("a.example", kept)},
		{kind: "tls fresh", url: "https://" + g.secure, client: client("a.example", anew)},
		{kind: "h2", url: "https://" + g.secure, client: client("a.example", two)},
		{kind: "h2c", url: "http://" + g.data, client: client("", known)},
	}
}

func TestThreeRestartsUnderLoadLoseNothing(t *testing.T) {
	for _, flags := range []string{"--engine=loop --loops=2", "--engine=std"} {
		t.Run(flags, func(t *testing.T) { threeRestarts(t, strings.Fields(flags)) })
	}
}

func threeRestarts(t *testing.T, flags []string) {
	g := startGateway(t, append(flags, "--drain-timeout", longest.String())...)
	parts := make(chan struct{})
	object := freeAddr(t)
	g.route(target(t, parts), object)
	ctx, end := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	failures := make(chan error, 16)
	watch := func(what string, f func() error) {
		wg.Go(func() {
			if err := f(); err != nil {
				failures <- fmt.Errorf("%s: %w", what, err)
				end()
			}
		})
	}
	all := loads(g, object)
	for _, l := range all {
		watch(l.kind, func() error { return l.run(ctx) })
	}
	var probes atomic.Int64
	watch("probe", func() error {
		for ctx.Err() == nil {
			if err := g.ready(); err != nil {
				return err
			}
			probes.Add(1)
		}
		return nil
	})
	old := newLasting(t, g)
	more := func() {
		before := make([]int64, len(all))
		for i, l := range all {
			before[i] = l.sent.Load()
		}
		g.until("serves every kind", func() bool {
			for i, l := range all {
				if ctx.Err() == nil && l.sent.Load() < before[i]+20 {
					return false
				}
			}
			return true
		})
	}
	for range 3 {
		more()
		old.use(parts)
		was := g.next()
		old.use(parts)
		var drain struct {
			Predecessor struct{ PID, Connections int }
		}
		if was == g.pids[0] { // which has those that last
			g.until("tells of its predecessor", func() bool {
				return g.ask("/status/predecessor", &drain) == nil && drain.Predecessor.PID == was && drain.Predecessor.Connections >= 2
			})
		}
		old.resumes()
		if ctx.Err() != nil {
			break
		}
	}
	more()
	end()
	wg.Wait()
	close(failures)
	for err := range failures {
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	old.finish(parts)
	for _, pid := range g.pids[:len(g.pids)-1] {
		g.ended(pid)
	}
	for _, l := range all {
		t.Logf("%s: %d requests", l.kind, l.sent.Load())
	}
	t.Logf("%d probes", probes.Load())
}

// lasting are connections that outlive restarts.
type lasting struct {
	t        *testing.T
	g        *generations
	download io.ReadCloser
	tunnel   net.Conn
	lines    *bufio.Reader
	sessions tls.ClientSessionCache
}

func newLasting(t *testing.T, g *generations) *lasting {
	t.Helper()
	o := &lasting{t: t, g: g, sessions: tls.NewLRUClientSessionCache(1)}
	c, err := net.Dial("tcp", g.data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	o.tunnel, o.lines = c, bufio.NewReader(c)
	_, _ = io.WriteString(c, "GET /ws HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: lines\r\n\r\n")
	resp, err := http.ReadResponse(o.lines, nil)
	if err != nil || resp.StatusCode != 101 {
		t.Fatalf("upgrade: %v, %v", resp, err)
	}
	o.handshake()
	return o
}

// use has both give something.
func (o *lasting) use(parts chan<- struct{}) {
	o.t.Helper()
	if o.download == nil {
		got := make(chan error, 1)
		go func() {
			resp, err := fresh.Get("http://" + o.g.data + "/download")
			if err == nil {
				o.download = resp.Body
			}
			got <- err
		}()
		parts <- struct{}{}
		if err := <-got; err != nil {
			o.t.Fatal(err)
		}
	} else {
		parts <- struct{}{}
	}
	if n, err := io.ReadFull(o.download, make([]byte, len(part))); err != nil {
		o.t.Errorf("part of the download: %d bytes, %v", n, err)
	}
	line := fmt.Sprintln("line of process", o.g.pids)
	_, _ = io.WriteString(o.tunnel, line)
	if got, err := o.lines.ReadString('\n'); err != nil || got != line {
		o.t.Errorf("upgraded connection: %q, %v, want %q", got, err, line)
	}
}

// handshake tells whether a session was resumed.
func (o *lasting) handshake() bool {
	o.t.Helper()
	c, err := tls.Dial("tcp", o.g.secure, &tls.Config{ServerName: "a.example", InsecureSkipVerify: true, ClientSessionCache: o.sessions})
	if err != nil {
		o.t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")
	_, _ = io.Copy(io.Discard, c) // the ticket comes before the answer
	return c.ConnectionState().DidResume
}

func (o *lasting) resumes() {
	o.t.Helper()
	if !o.handshake() {
		o.t.Error("a session of the process before is not resumed")
	}
}

func (o *lasting) finish(parts chan struct{}) {
	o.t.Helper()
	close(parts)
	if b, err := io.ReadAll(o.download); err != nil || len(b) > 0 {
		o.t.Errorf("end of the download: %d bytes, %v", len(b), err)
	}
	o.download.Close()
	o.tunnel.Close()
}

func TestSuccessorThatFailsLeavesTheOldOneServing(t *testing.T) {
	for _, engine := range []string{"loop", "std"} {
		t.Run(engine, func(t *testing.T) {
			g := startGateway(t, "--engine", engine, "--restart-timeout", "2s")
			g.route(target(t, nil), freeAddr(t))
			instance := g.instance()
			serves := func() {
				t.Helper()
				resp, err := fresh.Post("http://"+g.data, "text/plain", strings.NewReader("x"))
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if got := g.instance(); resp.StatusCode != 200 || got != instance || g.ready() != nil {
					t.Errorf("answer %d of instance %s (%v), want 200 of %s", resp.StatusCode, got, g.ready(), instance)
				}
			}
			g.script("exit 7")
			g.restart()
			g.said("the successor ended: exit status 7")
			serves()
			g.script("exec sleep 1000")
			g.restart()
			g.said("the successor is not ready")
			serves()
			if err := os.Remove(g.binary); err != nil {
				t.Fatal(err)
			}
			g.restart()
			g.said("no such file")
			serves()
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			g.link(self)
			first := g.pids[0]
			g.restart()
			g.until("is taken over after all", func() bool { return g.instance() != instance })
			g.ended(first)
		})
	}
}
