package etcd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"

	"github.com/unilb/unilb/sim/traffic"
)

// start runs a real member until the test ends, and a client that can write.
func start(t *testing.T) (*Member, *clientv3.Client) {
	t.Helper()
	cfg := embed.NewConfig()
	cfg.Name, cfg.Dir = "test", filepath.Join(t.TempDir(), "etcd")
	cfg.LogLevel, cfg.LogOutputs = "fatal", []string{os.DevNull}
	cfg.UnsafeNoFsync = true
	peer, at := url.URL{Scheme: "http", Host: "127.0.0.1:0"}, url.URL{Scheme: "http", Host: freePort(t)}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{at}, []url.URL{at}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	cfg.TickMs, cfg.ElectionMs = 10, 100
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	select {
	case <-e.Server.ReadyNotify():
	case <-time.After(30 * time.Second):
		t.Fatal("etcd does not serve after 30s")
	}
	addr := e.Clients[0].Addr().String()
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{addr}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return New(traffic.Here{}, netip.MustParseAddrPort(addr)), c
}

// freePort is an address to listen on: etcd's gateway calls its own server there,
// so the port must be known before.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func put(t *testing.T, c *clientv3.Client, key, value string) int64 {
	t.Helper()
	r, err := c.Put(t.Context(), key, value)
	if err != nil {
		t.Fatal(err)
	}
	return r.Header.Revision
}

func TestMemberTellsItsStatusAndLeads(t *testing.T) {
	m, c := start(t)
	rev := put(t, c, "/a", "1")
	s, err := m.Status(t.Context())
	if err != nil || s.Revision != rev || !s.Leads() || s.Term == 0 || s.Version == "" || s.Size == 0 {
		t.Errorf("status %+v (%v), want revision %d of a leader", s, err, rev)
	}
	gone := New(traffic.Here{}, netip.MustParseAddrPort("127.0.0.1:1"))
	if i, err := Leader(t.Context(), gone, m); i != 1 || err != nil {
		t.Errorf("leader: got %d (%v), want the second of those asked", i, err)
	}
	if _, err := Leader(t.Context(), gone); err == nil {
		t.Error("a member that is not there leads")
	}
}

func TestReadsAtARevisionUntilItIsCompacted(t *testing.T) {
	m, c := start(t)
	old := put(t, c, "/a/x", "1")
	newest := put(t, c, "/a/x", "2")
	put(t, c, "/b", "other")
	at := func(rev int64) (string, error) {
		t.Helper()
		a, err := m.Range(t.Context(), Query{Prefix: "/a/", Revision: rev})
		if err != nil || len(a.KVs) != 1 {
			return fmt.Sprint(a.KVs), err
		}
		return string(a.KVs[0].Value), nil
	}
	if got, err := at(old); got != "1" || err != nil {
		t.Errorf("at revision %d: %q (%v), want 1", old, got, err)
	}
	if got, err := at(newest); got != "2" || err != nil {
		t.Errorf("at revision %d: %q (%v), want 2", newest, got, err)
	}
	if err := m.Compact(t.Context(), newest, true); err != nil {
		t.Fatal(err)
	}
	if _, err := at(old); !errors.Is(err, ErrCompacted) {
		t.Errorf("after compaction: got %v, want ErrCompacted", err)
	}
	if err := m.Compact(t.Context(), newest, true); !errors.Is(err, ErrCompacted) {
		t.Errorf("second compaction: got %v, want ErrCompacted", err)
	}
	var e *Error
	if err := m.Compact(t.Context(), newest+100, true); !errors.As(err, &e) || errors.Is(err, ErrCompacted) {
		t.Errorf("compaction in the future: got %v, want another error of etcd", err)
	}
	if rev, err := m.Revision(t.Context()); rev != newest+1 || err != nil {
		t.Errorf("revision %d (%v), want %d", rev, err, newest+1)
	}
}

func TestDumpHasEveryKeyOfThePrefixOnce(t *testing.T) {
	m, c := start(t)
	const keys = 2*dumpPage + 7
	var first, last int64
	for i := range keys {
		last = put(t, c, fmt.Sprintf("/d/%05d", i), fmt.Sprint(i))
		if i == 0 {
			first = last
		}
	}
	put(t, c, "/e", "beyond")
	for prefix, want := range map[string]int{"/d/": keys, "": keys + 1, "/none": 0, "/e": 1} {
		got, err := m.Dump(t.Context(), prefix)
		if err != nil || len(got) != want {
			t.Fatalf("dump %q: %d keys (%v), want %d", prefix, len(got), err, want)
		}
		for i, kv := range got {
			if i > 0 && string(got[i-1].Key) >= string(kv.Key) {
				t.Fatalf("dump %q: %s comes after %s", prefix, kv.Key, got[i-1].Key)
			}
		}
	}
	got, err := m.Dump(t.Context(), "/d/")
	if err != nil || got[0].CreateRev != first || got[keys-1].ModRev != last || string(got[keys-1].Value) != fmt.Sprint(keys-1) {
		t.Errorf("dump: first %+v, last %+v (%v); want created at %d, last written at %d", got[0], got[keys-1], err, first, last)
	}
}

func TestCallsEndWithTheirContext(t *testing.T) {
	l := silent(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err := New(traffic.Here{}, l).Status(ctx)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
	if took := time.Since(begin); took > Limit {
		t.Errorf("ended after %v, want the deadline of the context", took)
	}
}

func TestSilentMemberIsNotWaitedForLong(t *testing.T) {
	if _, err := New(traffic.Here{}, silent(t)).Revision(t.Context()); err == nil {
		t.Error("a member that says nothing has a quorum")
	}
}

func TestSpanCoversThePrefixAndNothingElse(t *testing.T) {
	for prefix, want := range map[string][2]string{
		"": {"\x00", "\x00"}, "/a": {"/a", "/b"}, "/a\xff": {"/a\xff", "/b"}, "\xff\xff": {"\xff\xff", "\x00"},
	} {
		if key, end := span(prefix); string(key) != want[0] || string(end) != want[1] {
			t.Errorf("span of %q: %q to %q, want %q", prefix, key, end, want)
		}
	}
}

// silent is where somebody accepts connections and never answers.
func silent(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return netip.MustParseAddrPort(l.Addr().String())
}
