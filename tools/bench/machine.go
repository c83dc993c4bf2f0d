package main

import (
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/unilb/unilb/sim/lab/doctor"
	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/sim/netns"
)

// A Machine is what figures depend on.
type Machine struct {
	Kernel string `json:"kernel"`
	CPU    string `json:"cpu"`
	CPUs   int    `json:"cpus"`
	MemMiB int    `json:"mem_mib"`
}

func readMachine() (Machine, error) {
	m := Machine{Kernel: doctor.Kernel(), CPUs: runtime.NumCPU()}
	cpu, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return m, err
	}
	mem, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return m, err
	}
	m.CPU = field(string(cpu), "model name")
	if _, err := fmt.Sscanf(field(string(mem), "MemTotal"), "%d kB", &m.MemMiB); err != nil {
		return m, fmt.Errorf("read the machine's memory: %w", err)
	}
	m.MemMiB /= 1024
	return m, nil
}

// field is the value of the first line "key : value" of a file of /proc.
func field(text, key string) string {
	for line := range strings.Lines(text) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// A count is what was used until a moment.
type count struct {
	at           time.Time
	busy, stolen time.Duration // of all cores
	ours         time.Duration // of everything of this run
	proxy        time.Duration // of one proxy
	waited       time.Duration // how long the proxy's threads waited for a core
}

// tick is the unit of /proc/stat: 100 a second on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// count reads what the machine, this run and one proxy have used.
func (g *groups) count(proxy string) (count, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return count{}, fmt.Errorf("read the machine's load: %w", err)
	}
	c, err := parseStat(string(b))
	if err != nil {
		return c, err
	}
	c.at = time.Now()
	if c.ours, err = g.usage(""); err != nil {
		return c, err
	}
	if c.proxy, err = g.usage(proxy); err != nil {
		return c, err
	}
	pids, err := g.pids(proxy)
	for _, pid := range pids {
		c.waited += waitedOf(pid)
	}
	return c, err
}

// parseStat reads the first line of /proc/stat: user nice system idle iowait irq
// softirq steal, in ticks.
func parseStat(s string) (count, error) {
	line, _, _ := strings.Cut(s, "\n")
	f := strings.Fields(line)
	if len(f) < 9 || f[0] != "cpu" {
		return count{}, fmt.Errorf("/proc/stat begins with %q, want the sum of all CPUs", line)
	}
	var c count
	for i, v := range f[1:9] {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return count{}, fmt.Errorf("/proc/stat: %w", err)
		}
		switch d := time.Duration(n) * tick; i {
		case 3, 4: // idle, waiting for disks
		case 7:
			c.stolen = d
		default:
			c.busy += d
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

// since fills in what a slice owes to the kernel's counters.
func (c count) since(b count, s Slice) Slice {
	took := c.at.Sub(b.at).Seconds()
	s.Busy = (c.proxy - b.proxy).Seconds() / took
	s.Waited = max(0, (c.waited-b.waited).Seconds()/took)
	s.Stolen = (c.stolen - b.stolen).Seconds() / took
	s.Foreign = max(0, ((c.busy-b.busy)-(c.ours-b.ours)).Seconds()/took)
	if s.Requests > 0 {
		s.CPU = float64((c.proxy - b.proxy).Microseconds()) / float64(s.Requests)
	}
	return s
}

// memory is the proportional share of memory of the processes of a group, in bytes.
// The kernel's memory for their sockets is not in it.
func (g *groups) memory(group string) (float64, error) {
	pids, err := g.pids(group)
	if err != nil {
		return 0, err
	}
	sum := 0
	for _, pid := range pids {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			return 0, fmt.Errorf("read memory: %w", err)
		}
		kb := 0
		if _, err := fmt.Sscanf(field(string(b), "Pss"), "%d kB", &kb); err != nil {
			return 0, fmt.Errorf("read memory of process %d: %w", pid, err)
		}
		sum += kb
	}
	return float64(sum) * 1024, nil
}

// commit is what the gateway was built of, as its binary says: the tree may have changed
// since.
func commit(file string) (id string, dirty bool) {
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return "", true
	}
	dirty = true // unless it says otherwise
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			id = s.Value
		case "vcs.modified":
			dirty = s.Value != "false"
		}
	}
	return id, dirty
}

// sixDigits leaves what a measurement can mean, so that results can be read and
// compared line by line.
func sixDigits(v float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64)
	if err != nil {
		return v
	}
	return r
}

// prepareNetwork makes the sandbox's own network fit for bulk: cubic, for BBR, the
// default of many machines, paces without fq in bursts that say nothing; and ports
// enough for thousands of connections.
func prepareNetwork() (err error) {
	ns, err := netns.Own()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ns.Close()) }()
	stack, err := link.Open(ns)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stack.Close()) }()
	return errors.Join(
		stack.LoopbackCongestion("cubic"),
		write("/proc/sys/net", "ipv4/ip_local_port_range", "20000 65000"),
		write("/proc/sys/net", "core/somaxconn", "8192"),
	)
}

// allFiles lets this process and its children open as many files as they may, and
// returns how many that is.
func allFiles() (uint64, error) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, err
	}
	const least = 2*idleConns + 1000
	if l.Max < least {
		return 0, fmt.Errorf("%d open files are allowed here, want at least %d: ulimit -Hn", l.Max, least)
	}
	l.Cur = l.Max
	// Through the package that also starts processes: it undoes its own raise in
	// children, and keeps this one.
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, fmt.Errorf("allow %d open files: %w", l.Cur, err)
	}
	return l.Cur, nil
}

func readLoad() (float64, error) {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, fmt.Errorf("read the machine's load: %w", err)
	}
	first, _, _ := strings.Cut(string(b), " ")
	return strconv.ParseFloat(first, 64)
}
