package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Noise says what else the machine did while something was measured.
type Noise struct {
	Stolen float64 `json:"stolen"` // share of the machine's time that its host took away, 0 to 1
	Others float64 `json:"others"` // cores that were used outside this sandbox; the kernel's own threads count
	Load   float64 `json:"load"`   // processes that ran or waited for a CPU, mean of the last minute, at the end
	Quiet  bool    `json:"quiet"`
}

// What counts as quiet. Kernel threads free what a measurement built, and so the
// others are never nothing.
const (
	quietStolen = 0.02
	quietOthers = 0.3
)

// machine is what the machine and this sandbox have used until a moment.
type machine struct {
	at     time.Time
	own    time.Duration // CPU time of everything in this sandbox
	total  float64       // ticks of all CPUs
	busy   float64       // of these, spent in processes and in the kernel
	stolen float64       // of these, taken away by the host
	load   float64
}

// since gives the noise between two moments.
func (m machine) since(b machine) Noise {
	total := max(1, m.total-b.total)
	busy := (m.busy - b.busy) / total * float64(runtime.NumCPU())
	own := (m.own - b.own).Seconds() / m.at.Sub(b.at).Seconds()
	n := Noise{Stolen: sixDigits((m.stolen - b.stolen) / total), Others: sixDigits(max(0, busy-own)), Load: m.load}
	n.Quiet = n.Stolen <= quietStolen && n.Others <= quietOthers
	return n
}

func readMachine() (machine, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return machine{}, fmt.Errorf("read the machine's load: %w", err)
	}
	m, err := parseStat(string(b))
	if err != nil {
		return machine{}, err
	}
	m.at = time.Now()
	if m.load, err = readLoad(); err != nil {
		return machine{}, err
	}
	m.own, err = sandboxCPU()
	return m, err
}

func readLoad() (float64, error) {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, fmt.Errorf("read the machine's load: %w", err)
	}
	first, _, _ := strings.Cut(string(b), " ")
	return strconv.ParseFloat(first, 64)
}

// parseStat reads the first line of /proc/stat: user nice system idle iowait irq
// softirq steal, in ticks.
func parseStat(s string) (machine, error) {
	line, _, _ := strings.Cut(s, "\n")
	f := strings.Fields(line)
	if len(f) < 9 || f[0] != "cpu" {
		return machine{}, fmt.Errorf("/proc/stat begins with %q, want the sum of all CPUs", line)
	}
	var m machine
	for i, v := range f[1:9] {
		n, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return machine{}, fmt.Errorf("/proc/stat: %w", err)
		}
		m.total += n
		switch i {
		case 3, 4: // idle, waiting for disks
		case 7:
			m.stolen = n
		default:
			m.busy += n
		}
	}
	return m, nil
}

// ownCPU is the CPU time that this process has used.
func ownCPU() (time.Duration, error) {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0, fmt.Errorf("read CPU time: %w", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}
