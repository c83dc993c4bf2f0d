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

// member is a member of the cluster, or all of them.
type member struct {
	c *clientv3.Client
	// again is when a mute one is asked again, since members.began; 0: it is not mute. A
	// mute member has left the last question that was put to it unanswered, or could not
	// answer, or was found silent by those who watch it.
	again atomic.Int64
}

// members are whom questions are put to and whom watches are of, and how they answer. A
// member may stand still with every connection to it open (its disk does, or somebody has
// stopped it): the client of etcd's library, which takes them by turns, would give it its
// share of the questions all the same, for as long as that lasts. Of a watch it chooses the
// member itself as well, and may choose one that does not answer again and again.
type members struct {
	all   *member   // the client that knows every member
	each  []*member // in the order of the endpoints
	turn  atomic.Uint32
	heard atomic.Pointer[member] // who has answered a question last
	began time.Time
	// See the constants; tests set them.
	firstAnswer, passedOver time.Duration
}

func newMembers(all *clientv3.Client) *members {
	return &members{all: &member{c: all}, began: time.Now(), firstAnswer: firstAnswer, passedOver: passedOver}
}

func (ms *members) add(c *clientv3.Client) { ms.each = append(ms.each, &member{c: c}) }

// forRead is whose turn it is: a member that is connected and not mute, or may have got
// over it. Where there is none, all are: their client waits for the first that can be
// connected to.
func (ms *members) forRead() *member {
	return ms.forQuestion(func(m *member) bool { return !m.mute() || ms.due(m) })
}

// one is m, and where that is all who could be watched instead.
func (ms *members) one(m *member) *member {
	if m == ms.all && len(ms.each) > 1 {
		return ms.forWatch(int(ms.turn.Load()))
	}
	return m
}

// forWrite is who has answered last: what becomes of a write that is not answered nobody
// knows. Reads take turns, and a write follows a read, so writes take turns as well.
func (ms *members) forWrite() *member {
	sound := func(m *member) bool { return !m.mute() }
	if m := ms.heard.Load(); m != nil && m.connected() && sound(m) {
		return m
	}
	return ms.forQuestion(sound)
}

// forWatch is the member whose turn it is from turn on: one that is not mute before one
// that is, and that before one that cannot be connected to.
func (ms *members) forWatch(turn int) *member {
	if m := ms.next(turn, func(m *member) bool { return !m.down() && !m.mute() }); m != nil {
		return m
	}
	if m := ms.next(turn, func(m *member) bool { return !m.down() }); m != nil {
		return m
	}
	return ms.each[turn%len(ms.each)]
}

// forQuestion is the next member that is connected and so, or all. Where there is one it is
// all, over a connection without watches.
func (ms *members) forQuestion(so func(*member) bool) *member {
	if len(ms.each) > 1 {
		turn := int(ms.turn.Add(1))
		if m := ms.next(turn, func(m *member) bool { return m.connected() && so(m) }); m != nil {
			return m
		}
	}
	return ms.all
}

// next is the first member from turn on that is so; nil: none is.
func (ms *members) next(turn int, so func(*member) bool) *member {
	for i := range ms.each {
		if m := ms.each[(turn+i)%len(ms.each)]; so(m) {
			return m
		}
	}
	return nil
}

func (m *member) mute() bool { return m.again.Load() != 0 }

// due tells one caller that it is time to try a mute member again.
func (ms *members) due(m *member) bool {
	now, again := time.Since(ms.began), m.again.Load()
	return again != 0 && int64(now) >= again && m.again.CompareAndSwap(again, int64(now+ms.passedOver))
}

// connected tells whether a question can be sent now, and begins to connect otherwise.
func (m *member) connected() bool {
	conn := m.c.ActiveConnection()
	state := conn.GetState()
	if state == connectivity.Idle {
		conn.Connect()
	}
	return state == connectivity.Ready
}

// down tells whether the last attempt to connect has failed.
func (m *member) down() bool {
	return m.c.ActiveConnection().GetState() == connectivity.TransientFailure
}

// ended notes how a question ended. ctx is the caller's, who may have given up himself:
// that says nothing.
func (ms *members) ended(ctx context.Context, m *member, err error) {
	var unavailable *UnavailableError
	switch {
	case !errors.As(err, &unavailable):
		if m.mute() {
			m.again.Store(0)
		}
		if m != ms.all && ms.heard.Load() != m {
			ms.heard.Store(m)
		}
	case ctx.Err() == nil:
		ms.silent(m)
	}
}

// silent notes that a member does not answer.
func (ms *members) silent(m *member) { m.again.Store(int64(time.Since(ms.began) + ms.passedOver)) }

// lives notes that a mute member has begun a watch. It does so without asking the others,
// so whether it answers questions as well the next read has to find out.
func (ms *members) lives(m *member) {
	if again := m.again.Load(); again != 0 {
		m.again.CompareAndSwap(again, min(again, int64(time.Since(ms.began))))
	}
}

// patience is how long the n-th attempt of a read of a key may wait for m, of what is left.
func (ms *members) patience(n int, m *member, left time.Duration) time.Duration {
	if m != ms.all && n+1 < len(ms.each) {
		return min(left, ms.firstAnswer)
	}
	return left
}
