// Package etcdtest owns real etcd members for tests: in-process, on loopback, in
// a directory of the test, gone when the test ends.
//
// Only tests import it. A Server is not safe for concurrent use; the etcd behind
// it is.
package etcdtest

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// T is the part of testing.TB that is needed.
type T interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(f func())
	TempDir() string
}

// startTimeout bounds how long a member may take to serve.
const startTimeout = 20 * time.Second

// A Server is a cluster of one member.
type Server struct {
	t    T
	dir  string
	addr string // host:port of the client listener; kept over restarts
	keys *files // of the client listener; nil: it speaks no TLS
	life int    // how often it was replaced by another cluster
	etcd *embed.Etcd
}

// Start runs a member until the test ends.
func Start(t T) *Server {
	t.Helper()
	return start(t, nil)
}

func start(t T, keys *files) *Server {
	t.Helper()
	s := &Server{t: t, dir: filepath.Join(t.TempDir(), "etcd"), addr: "127.0.0.1:0", keys: keys}
	s.Up()
	t.Cleanup(s.Down)
	return s
}

// Addr is host:port of the client listener. It stays the same over restarts.
func (s *Server) Addr() string { return s.addr }

// Endpoint is the client URL.
func (s *Server) Endpoint() string { return s.scheme() + "://" + s.addr }

func (s *Server) scheme() string {
	if s.keys == nil {
		return "http"
	}
	return "https"
}

// Up starts the member again after Down, with the data it had.
func (s *Server) Up() {
	s.t.Helper()
	if s.etcd != nil {
		return
	}
	cfg := embed.NewConfig()
	cfg.Name = "test"
	cfg.Dir = s.dir
	cfg.LogLevel = "fatal"
	cfg.LogOutputs = []string{os.DevNull}
	cfg.UnsafeNoFsync = true // the machine does not crash during a test
	cfg.ListenPeerUrls = []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	cfg.AdvertisePeerUrls = cfg.ListenPeerUrls
	cfg.ListenClientUrls = []url.URL{{Scheme: s.scheme(), Host: s.addr}}
	if s.keys != nil {
		cfg.ClientTLSInfo.CertFile, cfg.ClientTLSInfo.KeyFile = s.keys.cert, s.keys.key
		cfg.BcryptCost = 4 // the least: passwords of tests are no secrets
		cfg.ClientTLSInfo.TrustedCAFile, cfg.ClientTLSInfo.ClientCertAuth = s.keys.ca, true
	}
	cfg.AdvertiseClientUrls = cfg.ListenClientUrls
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	cfg.InitialClusterToken = fmt.Sprint("test ", s.life)
	// A cluster of one elects itself; nobody's link is slow here.
	cfg.TickMs, cfg.ElectionMs = 10, 100
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		s.t.Fatalf("start etcd: %v", err)
		return
	}
	s.etcd = e
	select {
	case <-e.Server.ReadyNotify():
	case err := <-e.Err():
		s.t.Fatalf("run etcd: %v", err)
	case <-time.After(startTimeout):
		s.t.Fatalf("etcd does not serve after %s", startTimeout)
	}
	if _, port, err := net.SplitHostPort(e.Clients[0].Addr().String()); err == nil {
		s.addr = net.JoinHostPort("127.0.0.1", port)
	}
}

// Down stops the member; its data stay. It may be called more than once.
func (s *Server) Down() {
	if s.etcd == nil {
		return
	}
	s.etcd.Close()
	s.etcd = nil
}

// Wipe stops the member and removes its data: the next Up begins at revision 1,
// with the same cluster id, as a cluster does that was rebuilt in place.
func (s *Server) Wipe() {
	s.t.Helper()
	s.Down()
	if err := os.RemoveAll(s.dir); err != nil {
		s.t.Fatalf("wipe etcd: %v", err)
	}
}

// Replace stops the member and removes its data, as Wipe does, and gives it another
// cluster id: the next Up is a cluster that nobody has seen.
func (s *Server) Replace() {
	s.t.Helper()
	s.Wipe()
	s.life++
}

// Backup copies the member's data as they are now; the member is down meanwhile.
func (s *Server) Backup() (backup string) {
	s.t.Helper()
	backup = filepath.Join(s.t.TempDir(), "backup")
	s.Down()
	if err := os.CopyFS(backup, os.DirFS(s.dir)); err != nil {
		s.t.Fatalf("back up etcd: %v", err)
	}
	s.Up()
	return backup
}

// Restore stops the member and puts a backup in the place of its data: the next Up
// begins at the revision of the backup, with the same cluster id.
func (s *Server) Restore(backup string) {
	s.t.Helper()
	s.Wipe()
	if err := os.CopyFS(s.dir, os.DirFS(backup)); err != nil {
		s.t.Fatalf("restore etcd: %v", err)
	}
	if err := os.Chmod(s.dir, 0o700); err != nil { // etcd insists
		s.t.Fatalf("restore etcd: %v", err)
	}
}
