package wire

import (
	"time"
)

// write hands frames over when they are due, until the cable is closed.
func (d *direction) write() {
	for d.alarm.wait() {
		d.deliver()
	}
}

// deliver hands over what is due and sets the alarm for what is not.
func (d *direction) deliver() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.queue) > 0 && !d.closed {
		if wait := time.Until(d.queue[0].due); wait > 0 {
			d.alarm.set(wait)
			return
		}
		f := d.queue.pop()
		d.under -= f.n
		// The reader goes on meanwhile. Busy keeps it from handing over a frame
		// itself, which would overtake.
		d.busy = true
		d.mu.Unlock()
		ok := d.handOver(f.bytes())
		d.mu.Lock()
		d.busy = false
		d.delivered(f.bytes(), ok)
		f.free()
	}
}

// handOver gives a frame to the other end; false when that is down.
func (d *direction) handOver(b []byte) bool {
	_, err := d.to.Write(b)
	return err == nil
}

func (d *direction) delivered(b []byte, ok bool) {
	if !ok {
		d.stats.Down++
		return
	}
	d.stats.Frames++
	d.stats.Bytes += uint64(len(b) - offloadHeader)
}
