package wire

import (
	"time"
)

// A verdict is what a direction does with one frame.
type verdict struct {
	lost                        *uint64 // counter of the reason; nil: it is carried
	note                        string  // of the reason, for captures
	duplicate, corrupt, reorder bool
	bit                         uint64
	jitter                      time.Duration
	late                        time.Duration // by position: it alone is held back
}

// judge decides what becomes of a frame. Only IPv4 counts: what else is on a link,
// such as ARP, comes by the kernel's clock and would give the fates to other
// frames on each run. It is delayed, and takes its time on the line, and that is
// all.
func (d *direction) judge(b []byte) verdict {
	if d.plain {
		return verdict{}
	}
	p, ok := parseFrame(b)
	if !ok {
		return verdict{}
	}
	fate := d.dice.fate(d.n, &d.set)
	d.n++
	at := d.places.deeds(&p)
	if at.any {
		d.stats.Positional++
	}
	if at.untracked {
		d.stats.Untracked++
	}
	switch {
	case at.drop:
		return verdict{lost: &d.stats.Dropped, note: "lost: dropped by position"}
	case d.set.MaxPacket > 0 && p.longest > d.set.MaxPacket:
		return verdict{lost: &d.stats.TooLong, note: "lost: too long"}
	case fate.Lost:
		return verdict{lost: &d.stats.Lost, note: "lost"}
	}
	if fate.Duplicate {
		d.stats.Duplicated++
	}
	if fate.Corrupt {
		d.stats.Corrupted++
	}
	if fate.Reorder {
		d.stats.Reordered++
	}
	return verdict{
		duplicate: fate.Duplicate || at.duplicate,
		corrupt:   fate.Corrupt || at.corrupt,
		reorder:   fate.Reorder,
		bit:       fate.Bit,
		jitter:    time.Duration(fate.Jitter * float64(d.set.Jitter)),
		late:      at.late,
	}
}

// notes are what captures say of carried frames: an index has a bit for each word.
var notes = func() (out [16]string) {
	for i := range out {
		for bit, word := range []string{"corrupted", "duplicated", "reordered", "delayed by position"} {
			if i&(1<<bit) == 0 {
				continue
			}
			if out[i] != "" {
				out[i] += ", "
			}
			out[i] += word
		}
	}
	return out
}()

func (v verdict) text() string {
	i := 0
	for bit, on := range []bool{v.corrupt, v.duplicate, v.reorder, v.late > 0} {
		if on {
			i |= 1 << bit
		}
	}
	return notes[i]
}
