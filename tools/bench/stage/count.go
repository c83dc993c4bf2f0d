package stage

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A Count is what was used until a moment.
type Count struct {
	At           time.Time
	Busy, Stolen time.Duration // of all cores
	Ours         time.Duration // of everything of this run
	Group        time.Duration // of one group
	Waited       time.Duration // how long the group's living threads waited for a core
}

// tick is the unit of /proc/stat: 100 a second on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// Count reads what the machine, this run and one group have used; "": only the first two
// count.
func (g *Groups) Count(group string) (Count, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return Count{}, fmt.Errorf("read the machine's load: %w", err)
	}
	c, err := parseStat(string(b))
	if err != nil {
		return c, err
	}
	c.At = time.Now()
	if c.Ours, err = g.Usage(""); err != nil {
		return c, err
	}
	if c.Group, err = g.Usage(group); err != nil {
		return c, err
	}
	pids, err := g.PIDs(group)
	for _, pid := range pids {
		c.Waited += waitedOf(pid)
	}
	return c, err
}

// parseStat reads the first line of /proc/stat: user nice system idle iowait irq
// softirq steal, in ticks.
func parseStat(s string) (Count, error) {
	line, _, _ := strings.Cut(s, "\n")
	f := strings.Fields(line)
	if len(f) < 9 || f[0] != "cpu" {
		return Count{}, fmt.Errorf("/proc/stat begins with %q, want the sum of all CPUs", line)
	}
	var c Count
	for i, v := range f[1:9] {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return Count{}, fmt.Errorf("/proc/stat: %w", err)
		}
		switch d := time.Duration(n) * tick; i {
		case 3, 4: // idle, waiting for disks
		case 7:
			c.Stolen = d
		default:
			c.Busy += d
		}
	}
	return c, nil
}

// waitedOf is how long the living threads of a process have waited for a core; 0
// where the kernel does not count it.
func waitedOf(pid int) time.Duration {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0
	}
	var sum time.Duration
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		if f := strings.Fields(string(b)); len(f) > 1 {
			if n, err := strconv.ParseInt(f[1], 10, 64); err == nil {
				sum += time.Duration(n)
			}
		}
	}
	return sum
}

// Used is what was used between two counts, in cores.
type Used struct {
	Group   float64 // by the group
	Waited  float64 // that the group would have used, had others not had the CPU
	Stolen  float64 // taken away by the machine's host
	Foreign float64 // by what does not belong to the run
}

// Since is what was used since an earlier count of the same group.
func (c Count) Since(b Count) Used {
	took := c.At.Sub(b.At).Seconds()
	return Used{
		Group:   (c.Group - b.Group).Seconds() / took,
		Waited:  max(0, (c.Waited-b.Waited).Seconds()/took),
		Stolen:  (c.Stolen - b.Stolen).Seconds() / took,
		Foreign: max(0, ((c.Busy-b.Busy)-(c.Ours-b.Ours)).Seconds()/took),
	}
}
