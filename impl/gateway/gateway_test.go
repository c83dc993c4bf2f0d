package gateway

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/etcdtest"
)

// region is a store and a gateway that runs over it.
type region struct {
	t      *testing.T
	st     *store.Store
	data   string // address of the static listener
	secure string // and of the one with TLS
	status string
	stop   context.CancelFunc
	ended  chan error
	began  chan struct{}
	access *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}
func (l *lockedBuffer) Close() error                  { return nil }
func (l *lockedBuffer) open() (io.WriteCloser, error) { return l, nil }
func (l *lockedBuffer) String() string                { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

func freeAddr(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func start(t *testing.T) *region {
	t.Helper()
	return startWith(t, EngineStd)
}

func startWith(t *testing.T, engine string, change ...func(*Options)) *region {
	t.Helper()
	return startOn(t, etcdtest.Start(t), engine, change...)
}

// startOn runs a gateway on an etcd that may be away.
func startOn(t *testing.T, etcd *etcdtest.Server, engine string, change ...func(*Options)) *region {
	t.Helper()
	r := begin(t, etcd.Endpoint(), engine, change...)
	r.isReady()
	return r
}

func openStore(t *testing.T, endpoint string) *store.Store {
	t.Helper()
	st, err := store.Open(store.Options{Endpoints: []string{endpoint}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

// begin runs a gateway until the test ends.
func begin(t *testing.T, endpoint, engine string, change ...func(*Options)) *region {
	t.Helper()
	st := openStore(t, endpoint)
	r := &region{t: t, st: st, data: freeAddr(t), secure: freeAddr(t), status: freeAddr(t), ended: make(chan error, 1), began: make(chan struct{}), access: &lockedBuffer{}}
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	o := Options{
		Registration: node.Registration{Name: "test/gw", Kind: "l7gw", Status: "http://" + r.status}, Store: st, Prefix: "/apisix",
		Engine: engine, Listen: []string{r.data}, ListenTLS: []string{r.secure}, StatusListen: r.status, DrainTimeout: 5 * time.Second, AccessLog: r.access.open,
		Log: slog.New(slog.DiscardHandler), Ready: func() { close(r.began) },
	}
	for _, f := range change {
		f(&o)
	}
	go func() { r.ended <- Run(ctx, context.Background(), o) }()
	t.Cleanup(func() {
		cancel()
		err := <-r.ended
		if err != nil {
			t.Errorf("Run: %v", err)
		}
		r.ended <- err
	})
	return r
}

func (r *region) isReady() {
	r.t.Helper()
	select {
	case <-r.began:
	case err := <-r.ended:
		r.ended <- err
		r.t.Fatalf("Run ended early: %v", err)
	case <-time.After(20 * time.Second):
		r.t.Fatal("gateway is not ready after 20 s")
	}
}

// put writes an object (deletes it when the value is empty) and waits until the
// gateway says that it is in force.
func (r *region) put(prefix, key, value string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	rev, err := r.st.Commit(ctx, nil, store.Op{Key: prefix + "/" + key, Value: []byte(value), Delete: value == ""})
	if err != nil {
		r.t.Fatal(err)
	}
	if status, body := r.get("http://"+r.status+fmt.Sprintf("/status/applied?prefix=%s&revision=%d&timeout=10s", prefix, rev), ""); status != 200 {
		r.t.Fatalf("%s not in force: %d %s", key, status, body)
	}
}

func (r *region) get(url, host string) (int, string) {
	r.t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func backend(t *testing.T, name string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) }))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func TestChangesComeIntoForceAndInvalidOnesAreReported(t *testing.T) {
	r := start(t)
	one, two := backend(t, "one"), backend(t, "two")
	r.put("/apisix", "routes/", "init_dir")
	r.put("/apisix", "upstreams/u", `{"nodes":{"`+one+`":1}}`)
	r.put("/apisix", "routes/1", `{"uri":"/*","host":"shop.example","upstream_id":"u"}`)
	url := "http://" + r.data + "/x"
	if status, body := r.get(url, "shop.example"); status != 200 || body != "one" {
		t.Fatalf("%d %q", status, body)
	}
	if status, body := r.get(url, "foreign.example"); status != 404 || body != "{\"error_msg\":\"404 Route Not Found\"}\n" {
		t.Errorf("foreign host: %d %q", status, body)
	}
	r.put("/apisix", "upstreams/u", `{"nodes":{"`+two+`":1}}`)
	if _, body := r.get(url, "shop.example"); body != "two" {
		t.Errorf("after the change: %q", body)
	}
	r.put("/apisix", "upstreams/u", `{"nodes":"nonsense"}`)
	if _, body := r.get(url, "shop.example"); body != "two" {
		t.Errorf("after an invalid change: %q", body)
	}
	if _, body := r.get("http://"+r.status+"/status/config", ""); !strings.Contains(body, `"/apisix/upstreams/u":`) {
		t.Errorf("refused object is not listed: %s", body)
	}
	if _, body := r.get("http://"+r.status+"/status", ""); !strings.Contains(body, `"key":"/apisix/upstreams/u"`) {
		t.Errorf("refused object is not in the report: %s", body)
	}
	r.put("/apisix", "upstreams/u", `{"nodes":{"`+one+`":1}}`)
	if _, body := r.get("http://"+r.status+"/status/config", ""); !strings.Contains(body, `"refused":{}`) {
		t.Errorf("repaired object is still listed: %s", body)
	}
	r.put("/apisix", "routes/1", "")
	if status, _ := r.get(url, "shop.example"); status != 404 {
		t.Errorf("after the deletion: %d", status)
	}
}

func TestLogSaysWhetherAVersionStaysInForce(t *testing.T) {
	log := &lockedBuffer{}
	r := startWith(t, EngineStd, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(log, nil)) })
	r.put("/apisix", "routes/old", `{"uri":"/*","plugins":{}}`)
	r.put("/apisix", "routes/old", `{"uri":7}`)
	r.put("/apisix", "routes/new", `{"uri":7}`)
	r.put("/unilb/listeners", "new", `{}`)
	for _, want := range []string{
		`msg="object refused, previous version stays" key=/apisix/routes/old `,
		`msg="object refused, no version of it is in force" key=/apisix/routes/new `,
		`msg="object refused, no version of it is in force" key=/unilb/listeners/new `,
	} {
		if strings.Count(log.String(), want) != 1 {
			t.Errorf("want one line with %s in\n%s", want, log.String())
		}
	}
}

func TestListenersOpenAndCloseAtRunTime(t *testing.T) {
	r := start(t)
	one := backend(t, "one")
	at := freeAddr(t)
	host, port, _ := net.SplitHostPort(at)
	r.put("/apisix", "routes/1", fmt.Sprintf(`{"uri":"/*","vars":[["server_addr","==","%s"],["server_port","==","%s"]],"upstream":{"nodes":{"%s":1}}}`, host, port, one))
	r.put("/unilb/listeners", "shop.web", fmt.Sprintf(`{"id":"shop.web","address":"%s","port":%s,"protocol":"http"}`, host, port))
	// An address that this machine does not have can be listened on already.
	r.put("/unilb/listeners", "eip", `{"id":"eip","address":"203.0.113.99","port":18080,"protocol":"http"}`)
	if status, body := r.get("http://"+at+"/", ""); status != 200 || body != "one" {
		t.Fatalf("on the listener: %d %q", status, body)
	}
	if status, _ := r.get("http://"+r.data+"/", ""); status != 404 {
		t.Errorf("on another listener: %d, want 404", status)
	}
	if _, body := r.get("http://"+r.status+"/status", ""); !strings.Contains(body, `"errors":[]`) {
		t.Errorf("listener of an absent address was refused: %s", body)
	}
	http.DefaultClient.CloseIdleConnections()
	r.put("/unilb/listeners", "shop.web", "")
	if c, err := net.Dial("tcp", at); err == nil {
		c.Close()
		t.Error("closed listener still accepts")
	}
}
