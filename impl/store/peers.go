package store

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/connectivity"
)

const (
	// firstAnswer bounds a read of a key from one member as long as there are others that
	// have not been asked. One that has no answer by then is passed over.
	firstAnswer = time.Second
	// passedOver is how long a member is then not asked. After that one read tries it.
	passedOver = 5 * time.Second
)

// peer is a member that questions may be put to, or all of them.
type peer struct {
	c *clientv3.Client
	// mute: it has left the last question that was put to it unanswered, or could not
	// answer. It is asked again at the time again, since began.
	mute  atomic.Bool
	again atomic.Int64
}

// peers are the members of the cluster and how they answer. A member may stand still with
// every connection to it open (its disk does, or somebody has stopped it): the client of
// etcd's library, which takes them by turns, would give it its share of the questions all
// the same, for as long as that lasts.
type peers struct {
	all   *peer   // the client that knows every member
	each  []*peer // nil: there is one
	turn  atomic.Uint32
	heard atomic.Pointer[peer] // who has answered last
	began time.Time
	// See the constants; tests set them.
	firstAnswer, passedOver time.Duration
}

func newPeers(all *clientv3.Client, each []*clientv3.Client) *peers {
	p := &peers{all: &peer{c: all}, began: time.Now(), firstAnswer: firstAnswer, passedOver: passedOver}
	if len(each) > 1 {
		for _, c := range each {
			p.each = append(p.each, &peer{c: c})
		}
	}
	return p
}

// forRead is whose turn it is: a member that is connected and not mute, or may have got
// over it. Where there is none, all are: their client waits for the first that can be
// connected to.
func (p *peers) forRead() *peer {
	return p.next(func(m *peer) bool { return !m.mute.Load() || p.due(m) })
}

// forWrite is who has answered last: what becomes of a write that is not answered nobody
// knows. Reads take turns, and a write follows a read, so writes take turns as well.
func (p *peers) forWrite() *peer {
	sound := func(m *peer) bool { return !m.mute.Load() }
	if m := p.heard.Load(); m != nil && m.connected() && sound(m) {
		return m
	}
	return p.next(sound)
}

func (p *peers) next(sound func(*peer) bool) *peer {
	turn := int(p.turn.Add(1))
	for i := range p.each {
		m := p.each[(turn+i)%len(p.each)]
		if m.connected() && sound(m) {
			return m
		}
	}
	return p.all
}

// due tells one caller that it is time to try a mute member again.
func (p *peers) due(m *peer) bool {
	now, again := time.Since(p.began), m.again.Load()
	return int64(now) >= again && m.again.CompareAndSwap(again, int64(now+p.passedOver))
}

// connected tells whether a question can be sent now, and begins to connect otherwise.
func (m *peer) connected() bool {
	conn := m.c.ActiveConnection()
	state := conn.GetState()
	if state == connectivity.Idle {
		conn.Connect()
	}
	return state == connectivity.Ready
}

// ended notes how a question ended. ctx is the caller's, who may have given up himself:
// that says nothing.
func (p *peers) ended(ctx context.Context, m *peer, err error) {
	var unavailable *UnavailableError
	switch {
	case !errors.As(err, &unavailable):
		if m.mute.Load() {
			m.mute.Store(false)
		}
		if m != p.all && p.heard.Load() != m {
			p.heard.Store(m)
		}
	case ctx.Err() == nil:
		m.again.Store(int64(time.Since(p.began) + p.passedOver))
		m.mute.Store(true)
	}
}

// patience is how long the n-th attempt of a read may wait for m, of what is left.
func (p *peers) patience(n int, m *peer, left time.Duration) time.Duration {
	if m != p.all && n+1 < len(p.each) {
		return min(left, p.firstAnswer)
	}
	return left
}
