package gateway

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/handover"
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
	engine   engine
	node     reporter
	log      *slog.Logger
	mu       sync.Mutex
	want     map[netip.AddrPort]wanted
	open     map[netip.AddrPort]opened
	failed   map[netip.AddrPort]bool
	disputed map[string]bool // keys of objects that want an address to be what it is not
	static   []opened
	heir     *handover.Heir
	retry    *time.Timer
	begun    bool // before, nothing is open: there is no configuration to answer by
	closed   bool
	wg       sync.WaitGroup
}

// wanted is what objects say about an address.
type wanted struct {
	keys   []string // of the objects
	secure bool     // with TLS
}

type opened struct {
	net.Listener
	address string // as it was asked for
	secure  bool
}

func newListeners(e engine, n reporter, heir *handover.Heir, log *slog.Logger) *listeners {
	return &listeners{engine: e, node: n, heir: heir, log: log, want: map[netip.AddrPort]wanted{},
		open: map[netip.AddrPort]opened{}, failed: map[netip.AddrPort]bool{}, disputed: map[string]bool{}}
}

// begin opens the addresses of the command line, which are never closed before the
// end, and what the listener objects want. Until then connections are refused: a
// gateway that has not read its routes would answer 404 to requests that others
// can serve.
func (l *listeners) begin(plain, secure []string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	for i, a := range slices.Concat(plain, secure) {
		ln, err := l.listen(a, i >= len(plain))
		if err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		l.static = append(l.static, ln)
	}
	for _, ln := range l.static { // now that nothing can fail any more
		l.start(ln)
	}
	l.begun = true
	l.openMissing()
	return nil
}

// listen opens an address, by the sockets that a predecessor has left if there are any.
func (l *listeners) listen(address string, secure bool) (opened, error) {
	ln, err := l.engine.Listen(address, l.heir.Take(listenerSocket+address))
	return opened{ln, address, secure}, err
}

// reconcile opens what is missing and closes what is too much. What cannot be
// opened is reported and tried again.
func (l *listeners) reconcile(objects []*config.Listener) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.want = l.settle(objects)
	if !l.begun {
		return
	}
	for at, ln := range l.open {
		if w := l.want[at]; w.keys == nil || w.secure != ln.secure {
			_ = ln.Close() // it only fails when it is closed already
			delete(l.open, at)
			l.log.Info("listener closed", "address", at.String())
		}
	}
	for at := range l.failed {
		if l.want[at].keys == nil {
			delete(l.failed, at)
		}
	}
	l.openMissing()
}

// settle says what is wanted. Of objects that do not agree about an address the
// first by its key has its way, on every gateway; the others are refused. l.mu is
// held.
func (l *listeners) settle(objects []*config.Listener) map[netip.AddrPort]wanted {
	slices.SortFunc(objects, func(a, b *config.Listener) int { return strings.Compare(a.ID, b.ID) })
	want, disputed := map[netip.AddrPort]wanted{}, map[string]bool{}
	for _, o := range objects {
		key := ListenersPrefix + "/" + o.ID
		w, taken := want[o.At]
		if taken && w.secure != o.TLS {
			disputed[key] = true
			l.node.Refuse(key, fmt.Errorf("%s is served with another protocol for %s", o.At, w.keys[0]))
			continue
		}
		if l.disputed[key] {
			l.node.Accept(key)
		}
		want[o.At] = wanted{append(w.keys, key), o.TLS}
	}
	l.disputed = disputed
	return want
}

// openMissing opens what is wanted and not open. l.mu is held.
func (l *listeners) openMissing() {
	for at, w := range l.want {
		if l.open[at].Listener != nil {
			continue
		}
		ln, err := l.listen(at.String(), w.secure)
		if err != nil {
			if !l.failed[at] {
				l.log.Warn("listener refused", "address", at.String(), obs.Err, err)
			}
			l.failed[at] = true
			for _, k := range w.keys {
				l.node.Refuse(k, err)
			}
			continue
		}
		if l.failed[at] {
			delete(l.failed, at)
			for _, k := range w.keys {
				l.node.Accept(k)
			}
		}
		l.open[at] = ln
		l.log.Info("listener open", "address", at.String(), "tls", w.secure)
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

func (l *listeners) start(ln opened) {
	serve := l.engine.Serve
	if ln.secure {
		serve = l.engine.ServeTLS
	}
	l.wg.Go(func() {
		if err := serve(ln.Listener); err != nil {
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
