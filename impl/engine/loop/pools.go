package loop

import (
	"crypto/tls"
	"net/netip"
	"strings"
	"time"
	"unsafe"

	"github.com/unilb/unilb/impl/exchange"
)

const (
	// maxPools bounds the pools of a loop. A pool of TLS also depends on the name asked
	// for, which may come from the client.
	maxPools = 16384
	// maxIdle bounds the connections of all pools of a loop that carry nothing.
	maxIdle = 16384
	// forgetEvery is how often a loop looks for pools that it can do without.
	forgetEvery = time.Second
)

type poolKey = exchange.Pool

// found is where the pool of a target was found last, to find it at once the next time.
type found struct {
	target *exchange.Target
	cert   *tls.Certificate
	pool   *pool
}

// founds is how many are remembered.
const founds = 64

func (l *loop) founds(t *exchange.Target) *found {
	return &l.found[uintptr(unsafe.Pointer(t))/unsafe.Sizeof(*t)%founds]
}

// poolOf returns the pool of the plan's target. For TLS without a name of its own the
// name is that of the request, as in APISIX.
func (l *loop) poolOf(r *run) *pool {
	plan := &r.x.Plan
	at := l.founds(plan.Target)
	if at.target == plan.Target && at.cert == plan.ClientCert && !at.pool.forgotten {
		return at.pool
	}
	key := plan.Target.Pool
	key.ClientCert = plan.ClientCert
	if key.TLS && key.ServerName == "" {
		key.ServerName = strings.Trim(exchange.HostName(&r.x.Arena, plan.Host), "[]")
		return l.pool(key)
	}
	p := l.pool(key)
	*at = found{plan.Target, plan.ClientCert, p}
	return p
}

// pool returns the pool of a key, which may live in an arena.
func (l *loop) pool(key poolKey) *pool {
	if p := l.pools[key]; p != nil {
		return p
	}
	key.ServerName = strings.Clone(key.ServerName)
	p := &pool{l: l, key: key, limit: newStreams}
	p.addr, _ = netip.ParseAddrPort(key.Address)
	if key.TLS {
		p.tls = key.TLSConfig(l.e.o.Roots)
	}
	if key.TLS || !p.addr.IsValid() {
		p.dials = make(chan struct{}, dialsAtOnce)
	}
	p.forgotten = true
	return l.remember(p)
}

// remember has a pool found again, unless there is another of its key, which is returned
// then. When there are too many it takes the place of one whose connections are idle; if
// there is none it stays forgotten, and its connections are used once.
func (l *loop) remember(p *pool) *pool {
	if other := l.pools[p.key]; other != nil {
		return other
	}
	if len(l.pools) >= l.mostPools {
		l.forget()
	}
	for len(l.pools) >= l.mostPools {
		oldest := l.idle.oldest
		if oldest == nil {
			return p
		}
		oldest.who.quit()
		l.drop(oldest.pool)
	}
	p.forgotten = false
	l.pools[p.key] = p
	return p
}

// forget lets go of pools that hold nothing. Those whose connections are all in use come
// back with the first that is kept.
func (l *loop) forget() {
	if l.now-l.forgot < int64(forgetEvery) && l.forgot != 0 {
		return // there was nothing to be found
	}
	l.forgot = l.now
	for _, p := range l.pools {
		l.drop(p)
	}
}

// drop forgets a pool if it holds nothing.
func (l *loop) drop(p *pool) {
	if p.forgotten || p.idle.n > 0 || len(p.trunks) > 0 {
		return
	}
	p.forgotten = true
	delete(l.pools, p.key)
}
