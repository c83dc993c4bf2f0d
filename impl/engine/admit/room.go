package admit

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/unilb/unilb/impl/obs"
)

// Room bounds the connections of an engine.
type Room struct {
	most   int64
	log    *slog.Logger
	taken  atomic.Int64
	came   atomic.Int64 // found room, since the start
	turned atomic.Int64 // and found none
	warned atomic.Int64 // when, in Unix nanoseconds
}

// NewRoom returns room for so many connections. That there is none left is logged.
func NewRoom(most int, log *slog.Logger) *Room { return &Room{most: int64(most), log: log} }

// Enter takes the room of one connection, or tells that there is none. Who is refused
// should learn it at once: to let him wait would hide the overload from those who
// could go elsewhere.
func (r *Room) Enter() bool {
	if r.taken.Add(1) <= r.most {
		r.came.Add(1)
		return true
	}
	r.turned.Add(1)
	r.taken.Add(-1)
	if r.mayWarn() {
		r.log.Warn("connections refused: no room", "max_conns", r.most)
	}
	return false
}

// Leave gives back what Enter took.
func (r *Room) Leave() { r.taken.Add(-1) }

// Taken is the number of connections.
func (r *Room) Taken() int { return int(r.taken.Load()) }

// Short logs that the kernel gives no more connections.
func (r *Room) Short(err error) {
	if r.mayWarn() {
		r.log.Warn("no more connections for now", obs.Err, err)
	}
}

// warnEvery is how often a lack of room is logged, at most.
const warnEvery = 10 * time.Second

func (r *Room) mayWarn() bool {
	now, last := time.Now().UnixNano(), r.warned.Load()
	return now-last >= int64(warnEvery) && r.warned.CompareAndSwap(last, now)
}
