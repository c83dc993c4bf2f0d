package loop

import (
	"math/bits"
	"time"
)

// tick is the resolution of timers: what a loop waits for is measured in tens of
// milliseconds and more.
const (
	tick  = 16 * time.Millisecond
	slots = 512 // ticks; what lies further away is looked at again when it comes near
)

// A wheel holds the deadlines of a loop's sockets. Arming a later deadline costs a
// store: the entry stays where it is, and is moved when its slot comes.
type wheel struct {
	at    int64 // the tick up to which everything is done
	slot  [slots]*sock
	taken [slots / 64]uint64 // which slots hold anything
}

// arm sets the deadline of a socket, in the loop's time; 0 is none.
func (w *wheel) arm(s *sock, deadline int64) {
	s.deadline = deadline
	if deadline == 0 {
		return
	}
	at := max(deadline/int64(tick)+1, w.at+1) // never before the deadline
	at = min(at, w.at+slots-1)
	if s.queued != 0 {
		if s.queued <= at {
			return
		}
		w.remove(s)
	}
	w.insert(s, at)
}

func (w *wheel) insert(s *sock, at int64) {
	i := at % slots
	s.queued = at
	s.prev, s.next = nil, w.slot[i]
	if s.next != nil {
		s.next.prev = s
	}
	w.slot[i] = s
	w.taken[i/64] |= 1 << (i % 64)
}

func (w *wheel) remove(s *sock) {
	if s.queued == 0 {
		return
	}
	i := s.queued % slots
	if s.prev != nil {
		s.prev.next = s.next
	} else if w.slot[i] = s.next; s.next == nil {
		w.taken[i/64] &^= 1 << (i % 64)
	}
	if s.next != nil {
		s.next.prev = s.prev
	}
	s.prev, s.next, s.queued = nil, nil, 0
}

// next is how long until the next slot that holds anything; below zero: never.
func (w *wheel) next(now int64) time.Duration {
	for d := int64(1); d < slots; {
		i := (w.at + d) % slots
		if word := w.taken[i/64] >> (i % 64); word != 0 {
			d += int64(bits.TrailingZeros64(word))
			if d >= slots {
				return -1
			}
			return max(0, time.Duration((w.at+d)*int64(tick)-now))
		}
		d += 64 - i%64
	}
	return -1
}

// advance calls due for every socket whose deadline has passed.
func (w *wheel) advance(now int64, due func(*sock)) {
	to := now / int64(tick)
	if to-w.at > slots { // a long sleep: every slot once
		w.at = to - slots
	}
	for w.at < to {
		w.at++
		i := w.at % slots
		for s := w.slot[i]; s != nil; {
			next := s.next
			w.remove(s)
			switch {
			case s.deadline == 0:
			case s.deadline <= now:
				s.deadline = 0
				due(s)
			default:
				w.arm(s, s.deadline)
			}
			// due may have ended any socket: begin again at the slot's head.
			if next != nil && next.queued != w.at {
				next = w.slot[i]
			}
			s = next
		}
	}
}
