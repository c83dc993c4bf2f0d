package gateway

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/obs"
)

// reopenEvery is how often a listener that could not be opened is tried again.
const reopenEvery = time.Second

// reporter is the part of the node that listeners need.
type reporter interface {
	Refuse(key string, err error)
	Accept(key string)
}

// listeners opens and closes sockets so that they are those of the listener
// objects. Closing one ends accepting only: its connections live on.
type listeners struct {
	engine engine
	node   reporter
	log    *slog.Logger
	mu     sync.Mutex
	want   map[netip.AddrPort][]string // keys of the objects
	open   map[netip.AddrPort]net.Listener
	failed map[netip.AddrPort]bool
	static []net.Listener
	retry  *time.Timer
	begun  bool // before, nothing is open: there is no configuration to answer by
	closed bool
	wg     sync.WaitGroup
}

func newListeners(e engine, n reporter, log *slog.Logger) *listeners {
	return &listeners{engine: e, node: n, log: log, want: map[netip.AddrPort][]string{},
		open: map[netip.AddrPort]net.Listener{}, failed: map[netip.AddrPort]bool{}}
}

// begin opens the addresses of the command line, which are never closed before the
// end, and what the listener objects want. Until then connections are refused: a
// gateway that has not read its routes would answer 404 to requests that others
// can serve.
func (l *listeners) begin(addrs []string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	for _, a := range addrs {
		ln, err := l.engine.Listen(a)
		if err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		l.static = append(l.static, ln)
		l.start(ln)
	}
	l.begun = true
	l.openMissing()
	return nil
}

// reconcile opens what is missing and closes what is too much. What cannot be
// opened is reported and tried again.
func (l *listeners) reconcile(objects []*config.Listener) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	want := map[netip.AddrPort][]string{}
	for _, o := range objects {
		want[o.At] = append(want[o.At], ListenersPrefix+"/"+o.ID)
	}
	l.want = want
	if !l.begun {
		return
	}
	for at, ln := range l.open {
		if want[at] == nil {
			_ = ln.Close() // it only fails when it is closed already
			delete(l.open, at)
			l.log.Info("listener closed", "address", at.String())
		}
	}
	for at := range l.failed {
		if want[at] == nil {
			delete(l.failed, at)
		}
	}
	l.openMissing()
}

// openMissing opens what is wanted and not open. l.mu is held.
func (l *listeners) openMissing() {
	for at, keys := range l.want {
		if l.open[at] != nil {
			continue
		}
		ln, err := l.engine.Listen(at.String())
		if err != nil {
			if !l.failed[at] {
				l.log.Warn("listener refused", "address", at.String(), obs.Err, err)
			}
			l.failed[at] = true
			for _, k := range keys {
				l.node.Refuse(k, err)
			}
			continue
		}
		if l.failed[at] {
			delete(l.failed, at)
			for _, k := range keys {
				l.node.Accept(k)
			}
		}
		l.open[at] = ln
		l.log.Info("listener open", "address", at.String())
		l.start(ln)
	}
	if len(l.failed) > 0 && l.retry == nil {
		l.retry = time.AfterFunc(reopenEvery, l.tryAgain)
	}
}

func (l *listeners) tryAgain() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.retry = nil
	if !l.closed {
		l.openMissing()
	}
}

func (l *listeners) start(ln net.Listener) {
	l.wg.Go(func() {
		if err := l.engine.Serve(ln); err != nil {
			l.log.Error("listener ended", "address", ln.Addr().String(), obs.Err, err)
		}
	})
}

// close stops accepting everywhere and waits until it has. Idempotent.
func (l *listeners) close() {
	l.mu.Lock()
	l.closed = true
	for _, ln := range l.open {
		_ = ln.Close()
	}
	for _, ln := range l.static {
		_ = ln.Close()
	}
	clear(l.open)
	l.static = nil
	if l.retry != nil {
		l.retry.Stop()
	}
	l.mu.Unlock()
	l.wg.Wait()
}

// shared sets the options of a listening socket. The address need not exist yet (an
// EIP may arrive on the node after its listener), and several sockets may share it:
// a second process takes over while the first drains.
func shared(network, _ string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		if failed != nil {
			return
		}
		if network == "tcp6" {
			failed = unix.SetsockoptInt(int(fd), unix.SOL_IPV6, unix.IPV6_FREEBIND, 1)
			return
		}
		failed = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_FREEBIND, 1)
	})
	if err != nil {
		return err
	}
	return failed
}
