package wire

import (
	"time"
)

// MaxBacklog is how long a frame waits for its turn on a line with a rate; one
// that would have to wait longer is lost, as in a router whose buffer is full.
const MaxBacklog = 250 * time.Millisecond

// carry sends a frame on its way, damaged or twice if the verdict says so. It is
// false when none of it found room.
func (d *direction) carry(b []byte, v verdict, now time.Time) bool {
	frames := [][]byte{b}
	if v.corrupt {
		frames = damage(b, v.bit)
	}
	some := false
	for _, f := range frames {
		some = d.send(f, v, now) || some
		if v.duplicate {
			some = d.send(f, v, now) || some
		}
	}
	return some
}

func (d *direction) send(b []byte, v verdict, now time.Time) bool {
	due, ok := d.due(len(b)-offloadHeader, v, now)
	if !ok || d.under+len(b) > d.o.Queue {
		d.stats.Full++
		return false
	}
	if len(d.queue) == 0 && !d.busy && !due.After(now) {
		d.delivered(b, d.handOver(b))
		return true
	}
	d.seq++
	d.queue.push(newFrame(b, due, d.seq))
	d.under += len(b)
	if d.queue[0].seq == d.seq && !d.busy && !d.closed {
		d.alarm.set(time.Until(due))
	}
	return true
}

// due is when a frame of so many bytes arrives; false when the backlog is too long.
func (d *direction) due(bytes int, v verdict, now time.Time) (time.Time, bool) {
	due := now
	if d.set.Rate > 0 {
		if d.free.Before(now) {
			d.free = now
		}
		if d.free.Sub(now) > MaxBacklog {
			return now, false
		}
		d.free = d.free.Add(time.Duration(float64(bytes) * 8 / float64(d.set.Rate) * float64(time.Second)))
		due = d.free
	}
	if v.reorder {
		return due.Add(v.late), true
	}
	due = due.Add(max(d.set.Delay+v.jitter, 0))
	if due.Before(d.newest) {
		due = d.newest // neither jitter nor a shorter delay reorders
	}
	d.newest = due
	return due.Add(v.late), true
}
