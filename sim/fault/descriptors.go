package fault

import "github.com/unilb/unilb/topology"

// Descriptors are the open files of processes, and their limits.
type Descriptors interface {
	// Files returns what a process and those that it started have open; nothing
	// when it does not run.
	Files(process string) ([]Files, error)
	// LimitFiles sets the limit of one of them. One that has ended is no error.
	LimitFiles(process string, of Files, limit uint64) error
}

// Files are the descriptors of one process.
type Files struct {
	Pid     int    `json:"pid"`
	Started uint64 `json:"started"` // in ticks since the machine's start: Pid and Started are one process for ever
	Limit   uint64 `json:"limit"`   // RLIMIT_NOFILE, the soft one
	Open    []int  `json:"-"`       // ascending
}

func (f Files) is(g Files) bool { return f.Pid == g.Pid && f.Started == g.Started }

// room is how many more descriptors the process may open. The limit bounds the
// numbers, not their count: only free numbers below it count.
func (f Files) room() int {
	below := 0
	for _, fd := range f.Open {
		if uint64(fd) < f.Limit {
			below++
		}
	}
	return int(f.Limit) - below
}

// limitFor is the highest limit below which exactly keep numbers are free: what
// is open below it can be opened again when it was closed.
func (f Files) limitFor(keep int) uint64 {
	limit, at := uint64(0), 0
	for {
		for at < len(f.Open) && uint64(f.Open[at]) == limit {
			at++
			limit++
		}
		if keep == 0 {
			return limit
		}
		keep--
		limit++
	}
}

// FileLimit is the limit that a process had.
type FileLimit struct {
	Node    topology.Ref `json:"node"`
	Process string       `json:"process"`
	Files
}

// limits returns what the limit of each should be. Processes that were started
// under the fault have inherited it from one that is known; where none is known
// everything was started again, and is right as it is.
func (f ExhaustFDs) limits(node topology.Ref, process string, all []Files) []uint64 {
	var inherited uint64
	known := make([]uint64, len(all))
	for i, files := range all {
		for _, was := range f.Was {
			if was.Node == node && was.Process == process && was.is(files) {
				known[i] = was.Limit
				inherited = max(inherited, was.Limit)
			}
		}
	}
	for i := range known {
		switch {
		case known[i] != 0:
		case inherited != 0:
			known[i] = inherited
		default:
			known[i] = all[i].Limit
		}
	}
	return known
}
