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

// machine is what the machine and this process have used until a moment.
type machine struct {
	at     time.Time
	own    time.Duration // CPU time of this process and of its children that ended
	total  float64       // ticks of all CPUs
	busy   float64       // of these, spent in processes and in the kernel
	stolen float64       // of these, taken away by the host
}

// since gives the noise between two moments.
func (m machine) since(b machine) Noise {
	total := max(1, m.total-b.total)
	busy := (m.busy - b.busy) / total * float64(runtime.NumCPU())
	own := (m.own - b.own).Seconds() / m.at.Sub(b.at).Seconds()
	return Noise{Stolen: (m.stolen - b.stolen) / total, Others: max(0, busy-own)}
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
	m.own, err = ownCPU()
	if err != nil {
		return machine{}, err
	}
	children, err := cpu(unix.RUSAGE_CHILDREN)
	m.own += children
	return m, err
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
func ownCPU() (time.Duration, error) { return cpu(unix.RUSAGE_SELF) }

func cpu(who int) (time.Duration, error) {
	var u unix.Rusage
	if err := unix.Getrusage(who, &u); err != nil {
		return 0, fmt.Errorf("read CPU time: %w", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}
