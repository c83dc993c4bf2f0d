package scenario

import (
	"bytes"
	"os"
	"strconv"
)

// maxStolen is the share of stolen time beyond which being late proves nothing.
const maxStolen = 0.25

// lateError is a step that took longer than it may.
type lateError struct{ why string }

func (e *lateError) Error() string { return e.why }

// A stopwatch measures which share of the time of all CPUs went to other
// machines (proc(5), /proc/stat, "steal").
type stopwatch struct{ steal, all uint64 }

func (s *stopwatch) start() { s.steal, s.all = cpuTime() }

// share is that since start, from 0 to 1.
func (s *stopwatch) share() float64 {
	steal, all := cpuTime()
	if all <= s.all {
		return 0
	}
	return float64(steal-s.steal) / float64(all-s.all)
}

// cpuTime are the first line's ticks: stolen ones, and all of them.
func cpuTime() (steal, all uint64) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	const stealField, guest = 8, 9 // guest time is in user time already
	for i, f := range bytes.Fields(line) {
		n, err := strconv.ParseUint(string(f), 10, 64)
		if err != nil || i >= guest {
			continue
		}
		all += n
		if i == stealField {
			steal = n
		}
	}
	return steal, all
}
