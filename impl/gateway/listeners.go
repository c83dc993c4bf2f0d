package gateway

import (
	"fmt"
	"log/slog"
	"maps"
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
	"github.com/unilb/unilb/impl/node"
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
	disputed map[string]bool   // keys of objects that want an address to be what it is not
	refused  map[string]string // key to why: these, and objects whose address cannot be opened
	objects  []*config.Listener
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
		open: map[netip.AddrPort]opened{}, failed: map[netip.AddrPort]bool{}, disputed: map[string]bool{}, refused: map[string]string{}}
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
	if err := l.clash(len(plain)); err != nil {
		return err
	}
	for _, ln := range l.static { // now that nothing can fail any more
		l.start(ln)
	}
	l.begun = true
	l.want = l.settle() // again: what is static is known now
	l.openMissing()
	if len(l.static) == 0 && len(l.open) == 0 {
		l.log.Warn("nothing is served: there is no --listen, no --listen-tls and no listener object that can be opened")
	}
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
	l.objects = objects
	l.want = l.settle()
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

// settle says what is wanted. What the process was told to serve itself stays as it is.
// Of objects that do not agree about an address the first by its key has its way, on
// every gateway; the others are refused. l.mu is held.
func (l *listeners) settle() map[netip.AddrPort]wanted {
	slices.SortFunc(l.objects, func(a, b *config.Listener) int { return strings.Compare(a.ID, b.ID) })
	want, disputed, known := map[netip.AddrPort]wanted{}, map[string]bool{}, map[string]bool{}
	for _, o := range l.objects {
		key := ListenersPrefix + "/" + o.ID
		known[key] = true
		w := want[o.At]
		holder, secure := "", w.secure
		if len(w.keys) > 0 {
			holder = w.keys[0]
		}
		ln, static := l.staticAt(o.At)
		if static {
			holder, secure = "a flag of this process", ln.secure
		}
		if holder != "" && secure != o.TLS {
			disputed[key] = true
			l.refuse(key, o.At, fmt.Errorf("%s is served with another protocol for %s", o.At, holder))
			continue
		}
		if l.disputed[key] || static { // the second: it may have wanted another address
			l.accept(key)
		}
		if !static { // a second socket of it would get half of its connections
			want[o.At] = wanted{append(w.keys, key), o.TLS}
		}
	}
	l.disputed = disputed
	for key := range l.refused {
		if !known[key] {
			delete(l.refused, key) // the object is gone, and with it what the node says of it
		}
	}
	return want
}

// staticAt is the socket of the command line that serves an address. l.mu is held.
func (l *listeners) staticAt(at netip.AddrPort) (opened, bool) {
	for _, ln := range l.static {
		if SameListener(ln.Addr().String(), at.String()) {
			return ln, true
		}
	}
	return opened{}, false
}

// clash finds an address that is to be served both ways. l.mu is held.
func (l *listeners) clash(plain int) error {
	for _, p := range l.static[:plain] {
		for _, s := range l.static[plain:] {
			if SameListener(p.Addr().String(), s.Addr().String()) {
				return fmt.Errorf("listen: %s is to be served without TLS, and as %s with it", p.address, s.address)
			}
		}
	}
	return nil
}

// SameListener tells whether two addresses to listen on are one: of one port, which is not
// 0, and one address, or both of any. Names are compared as they are written.
func SameListener(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	return errA == nil && errB == nil && portA == portB && portA != "0" && plainHost(hostA) == plainHost(hostB)
}

// plainHost has one spelling of an address, and none for any.
func plainHost(host string) string {
	a, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return host
	case a.Unmap().IsUnspecified():
		return ""
	}
	return a.Unmap().String()
}

// refuse reports an object, and logs it when the reason is a new one. l.mu is held.
func (l *listeners) refuse(key string, at netip.AddrPort, err error) {
	text := node.ErrorText(err)
	if l.refused[key] != text {
		l.log.Warn("listener refused", obs.Key, key, "address", at.String(), obs.Err, err)
	}
	l.refused[key] = text
	l.node.Refuse(key, err)
}

// accept takes refuse back. l.mu is held.
func (l *listeners) accept(keys ...string) {
	for _, key := range keys {
		if _, ok := l.refused[key]; ok {
			delete(l.refused, key)
			l.node.Accept(key)
		}
	}
}

// refusals are the objects that are not served, by key with the reason.
func (l *listeners) refusals() map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.refused)
}

// openMissing opens what is wanted and not open. l.mu is held.
func (l *listeners) openMissing() {
	for at, w := range l.want {
		if l.open[at].Listener != nil {
			l.accept(w.keys...)
			continue
		}
		ln, err := l.listen(at.String(), w.secure)
		if err != nil {
			l.failed[at] = true
			for _, k := range w.keys {
				l.refuse(k, at, err)
			}
			continue
		}
		delete(l.failed, at)
		l.accept(w.keys...)
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
