package stage

import (
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"

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

// ReadMachine reads what this machine is.
func ReadMachine() (Machine, error) {
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

// Memory is the proportional share of memory of the processes of a group, in bytes.
// The kernel's memory for their sockets is not in it.
func (g *Groups) Memory(group string) (float64, error) {
	pids, err := g.PIDs(group)
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

// Commit is what the gateway was built of, as its binary says: the tree may have changed
// since.
func Commit(file string) (id string, dirty bool) {
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

// SixDigits leaves what a measurement can mean, so that results can be read and
// compared line by line.
func SixDigits(v float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64)
	if err != nil {
		return v
	}
	return r
}

// PrepareNetwork makes the sandbox's own network fit for bulk: cubic, for BBR, the
// default of many machines, paces without fq in bursts that say nothing; and ports
// enough for thousands of connections.
func PrepareNetwork() (err error) {
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

// AllFiles lets this process and its children open as many files as they may, at least
// least, and returns how many that is.
func AllFiles(least uint64) (uint64, error) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, err
	}
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

// ReadLoad is how many processes ran or waited for a core, the mean of the last minute.
func ReadLoad() (float64, error) {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, fmt.Errorf("read the machine's load: %w", err)
	}
	first, _, _ := strings.Cut(string(b), " ")
	return strconv.ParseFloat(first, 64)
}
