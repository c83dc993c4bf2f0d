package lbc

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/unilb/unilb/impl/admin"
	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/etcdtest"
	"github.com/unilb/unilb/impl/vpc"
)

const (
	testAdminKey = "admin-key"
	testAPIKey   = "api-key"
	testDeadline = 20 * time.Second
)

// region is a control plane in this process: a real etcd, the real Admin API,
// and nodes with real status listeners.
type region struct {
	t     *testing.T
	etcd  *etcdtest.Server
	st    *store.Store
	admin *httptest.Server
	log   *slog.Logger

	mu sync.Mutex
	// between, when set, sees each request to the Admin API before it is served.
	between func(r *http.Request)
	// served are the Admin API's answers: method, path and status.
	served  []string
	serving chan struct{} // closed and replaced at each answer
}

// starting serialises the starts of etcd members: embed sets globals of the
// process.
var starting sync.Mutex

func newRegion(t *testing.T) *region {
	t.Helper()
	starting.Lock()
	r := &region{t: t, etcd: etcdtest.Start(t), serving: make(chan struct{})}
	starting.Unlock()
	r.log = slog.New(slog.NewTextHandler(testLog{t}, nil))
	r.st = r.open()
	h, err := admin.New(admin.Options{Store: r.st, Keys: []admin.Key{{Secret: testAdminKey, Role: admin.Admin}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.InitDirectories(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.admin = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		between := r.between
		r.mu.Unlock()
		if between != nil {
			between(req)
		}
		answer := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		h.ServeHTTP(answer, req)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.served = append(r.served, fmt.Sprint(req.Method, " ", strings.TrimPrefix(req.URL.Path, "/apisix/admin"), " ", answer.status))
		close(r.serving)
		r.serving = make(chan struct{})
	}))
	t.Cleanup(r.admin.Close)
	return r
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// answered waits until the Admin API has given an answer n times.
func (r *region) answered(answer string, n int) {
	r.t.Helper()
	deadline := time.After(testDeadline)
	for {
		r.mu.Lock()
		got, serving := 0, r.serving
		for _, s := range r.served {
			if s == answer {
				got++
			}
		}
		r.mu.Unlock()
		if got >= n {
			return
		}
		select {
		case <-serving:
		case <-deadline:
			r.t.Fatalf("the Admin API answered %q %d times, want %d", answer, got, n)
		}
	}
}

// testLog writes log lines to the test's log while the test runs.
type testLog struct{ t *testing.T }

func (l testLog) Write(b []byte) (int, error) {
	if l.t.Context().Err() == nil {
		l.t.Log(strings.TrimSpace(string(b)))
	}
	return len(b), nil
}

func (r *region) open() *store.Store {
	r.t.Helper()
	st, err := store.Open(store.Options{Endpoints: []string{r.etcd.Endpoint()}})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = st.Close() })
	return st
}

// replica is one lbc-api.
type replica struct {
	*Service
	t    *testing.T
	url  string
	stop func() // as SIGTERM does; may be called more than once
}

func (r *region) replica(edit func(*Options), prepare func(*Service)) *replica {
	r.t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{r.etcd.Endpoint()}, Logger: zap.NewNop()})
	if err != nil {
		r.t.Fatal(err)
	}
	pool, _ := vpc.NewPool(netip.MustParsePrefix("100.64.0.0/10"))
	o := Options{
		Store: r.open(), Etcd: client, Node: "test", AdminURL: r.admin.URL, AdminKey: testAdminKey, APIKey: testAPIKey,
		Pool: pool, Drain: 200 * time.Millisecond, Quarantine: 300 * time.Millisecond, MappingWait: time.Second,
		LeaseTTL: 2 * time.Second, Log: r.log,
	}
	if edit != nil {
		edit(&o)
	}
	s, err := New(o)
	if err != nil {
		r.t.Fatal(err)
	}
	if prepare != nil {
		prepare(s)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Run(ctx)
	}()
	srv := httptest.NewServer(s.Handler())
	rep := &replica{Service: s, t: r.t, url: srv.URL}
	rep.stop = sync.OnceFunc(func() {
		cancel()
		<-done
		srv.CloseClientConnections()
		srv.Close()
		_ = client.Close()
	})
	r.t.Cleanup(rep.stop)
	return rep
}

// do sends a request and decodes the answer.
func (r *replica) do(method, path, body string, into any) (int, http.Header) {
	r.t.Helper()
	req, err := http.NewRequest(method, r.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("X-API-KEY", testAPIKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(b, into); err != nil {
			r.t.Fatalf("%s %s: %v in %q", method, path, err, b)
		}
	}
	return resp.StatusCode, resp.Header
}

// write makes a change that must be accepted.
func (r *replica) write(method, path, body string) Operation {
	r.t.Helper()
	var op Operation
	var raw json.RawMessage
	status, _ := r.do(method, "/v1/"+path, body, &raw)
	if status != http.StatusAccepted {
		r.t.Fatalf("%s %s: got %d %s, want 202", method, path, status, raw)
	}
	if err := json.Unmarshal(raw, &op); err != nil {
		r.t.Fatal(err)
	}
	return op
}

func (r *replica) put(path, body string) Operation { r.t.Helper(); return r.write("PUT", path, body) }
func (r *replica) del(path string) Operation       { r.t.Helper(); return r.write("DELETE", path, "") }

// op asks for an operation.
func (r *replica) op(id, wait string) Operation {
	r.t.Helper()
	var op Operation
	if status, _ := r.do("GET", "/v1/operations/"+id+"?wait="+wait, "", &op); status != http.StatusOK {
		r.t.Fatalf("operation %s: got %d", id, status)
	}
	return op
}

// inForce waits until an operation is in force everywhere.
func (r *replica) inForce(op Operation) Operation {
	r.t.Helper()
	got := r.op(op.ID, "15s")
	if got.State != stateInForce {
		r.t.Fatalf("%s %s: got %+v, want in_force", op.Action, op.Resource, got)
	}
	return got
}

// fakeNode is a node with a real registration, report and status listener that
// takes over every revision at once, until it is held or frozen.
type fakeNode struct {
	*node.Node
	name, kind string
	answers    gate
	takes      gate
}

// A gate lets through, until it is closed, and again when it is opened.
type gate struct {
	mu   sync.Mutex
	open chan struct{} // nil: open; else closed when it is opened
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open == nil {
		g.open = make(chan struct{})
	}
}

func (g *gate) reopen() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open != nil {
		close(g.open)
		g.open = nil
	}
}

// pass waits until the gate is open and reports whether ctx still lives.
func (g *gate) pass(ctx context.Context) bool {
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	if open == nil {
		return ctx.Err() == nil
	}
	select {
	case <-open:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// node starts a node that watches prefixes.
func (r *region) node(kind, name string, watches ...string) *fakeNode {
	r.t.Helper()
	f := &fakeNode{name: name, kind: kind}
	ctx, cancel := context.WithCancel(context.Background())
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if f.answers.pass(req.Context()) {
			f.Handler().ServeHTTP(w, req)
		}
	}))
	st := r.open()
	f.Node = node.New(node.Registration{Name: name, Kind: kind, Region: "bj", Zone: "az1", Status: srv.URL, Watches: watches}, st, node.Options{})
	var wg sync.WaitGroup
	wg.Go(func() { _ = f.Run(ctx) })
	for _, prefix := range watches {
		wg.Go(func() {
			_ = st.Watch(ctx, prefix, func(b store.Batch) {
				if f.takes.pass(ctx) {
					f.Applied(prefix, b.Revision)
				}
			})
		})
	}
	r.t.Cleanup(func() {
		cancel()
		srv.CloseClientConnections()
		srv.Close()
		wg.Wait()
	})
	r.until("registration of "+name, func() bool {
		_, ok, _, err := r.st.Get(r.t.Context(), node.RegistryKey(kind, name))
		return err == nil && ok
	})
	return f
}

// freeze stops the node from answering and from taking over anything, as
// SIGSTOP does.
func (f *fakeNode) freeze() { f.answers.close(); f.takes.close() }

// hold lets the node answer, but take over nothing.
func (f *fakeNode) hold() { f.takes.close() }

// thaw undoes both.
func (f *fakeNode) thaw() { f.takes.reopen(); f.answers.reopen() }

// until waits for a condition on etcd, asking at each of its revisions.
func (r *region) until(what string, ok func() bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), testDeadline)
	defer cancel()
	wctx, met := context.WithCancel(ctx)
	_ = r.st.Watch(wctx, "", func(store.Batch) {
		if wctx.Err() == nil && ok() {
			met()
		}
	})
	met()
	if ctx.Err() != nil {
		r.t.Fatalf("%s: not after %s", what, testDeadline)
	}
}

// get reads a key into v.
func (r *region) get(key string, v any) (mod int64, ok bool) {
	r.t.Helper()
	kv, ok, _, err := r.st.Get(context.Background(), key)
	if err != nil {
		return 0, false
	}
	if ok && v != nil {
		if err := json.Unmarshal(kv.Value, v); err != nil {
			r.t.Errorf("decode %s: %v", key, err)
		}
	}
	return kv.Mod, ok
}

// tenants lays out two VPCs with equal addresses and a target group in each.
func (r *replica) tenants() {
	r.t.Helper()
	for i, v := range []string{"red", "blue"} {
		r.put("vpcs/"+v, fmt.Sprintf(`{"vni":%d,"cidr":"192.168.0.0/24"}`, 1001+i))
		r.put("vpcs/"+v+"/ports/192.168.0.10", fmt.Sprintf(`{"mac":"02:00:00:00:0%d:10","host":"bj/az1/host-%d","vtep":"10.101.4.%d","ifname":"g0"}`, i, i, 9+i))
		r.put("target-groups/"+v, fmt.Sprintf(`{"tenant":"%s","vpc":"%s","targets":[{"ip":"192.168.0.10","port":8080,"weight":1}]}`, v, v))
	}
}

// shop puts a load balancer in front of a target group and returns the operation
// of its rule.
func (r *replica) shop(lb, tenant, address string, port int) Operation {
	r.t.Helper()
	r.put("load-balancers/"+lb, fmt.Sprintf(`{"tenant":%q,"address":%q}`, tenant, address))
	r.put("load-balancers/"+lb+"/listeners/web", fmt.Sprintf(`{"protocol":"http","port":%d}`, port))
	return r.put("load-balancers/"+lb+"/listeners/web/rules/all", fmt.Sprintf(`{"paths":["/*"],"target_group":%q}`, tenant))
}
