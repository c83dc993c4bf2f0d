package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU time in /proc/PID/stat: sysconf(_SC_CLK_TCK) is 100 on
// every Linux that Go runs on.
const tick = 10 * time.Millisecond

// sandboxCPU is the CPU time that everything in this sandbox has used so far,
// sandboxes inside it included: no process escapes its pid namespace, and what has
// ended is counted by whoever waited for it. Up to a tick of each living process
// may be missing, half of one if its threads cannot be read either. What the kernel
// does in its own threads, such as freeing namespaces, is not there.
func sandboxCPU() (time.Duration, error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, fmt.Errorf("read CPU time: %w", err)
	}
	var sum time.Duration
	for _, dir := range dirs {
		b, err := os.ReadFile(filepath.Join(dir, "stat"))
		if err != nil {
			continue // it has ended this moment; its parent has its time
		}
		self, waited, err := parseProcess(string(b))
		if err != nil {
			return 0, err
		}
		// Ticks lose the rest of a process, the schedulers' sums the threads that
		// have ended: the larger of the two is nearer to the truth.
		sum += max(self, threadsCPU(dir)) + waited
	}
	return sum, nil
}

// parseProcess reads the CPU time of a process, and of its children that it waited
// for, from its stat.
func parseProcess(stat string) (self, waited time.Duration, _ error) {
	const first = 11 // utime, after the name, which may hold anything; stime, cutime and cstime follow
	i := strings.LastIndex(stat, ") ")
	f := strings.Fields(stat[i+1:])
	if i < 0 || len(f) < first+4 {
		return 0, 0, fmt.Errorf("cannot read %q", stat)
	}
	var v [4]time.Duration
	for k := range v {
		n, err := strconv.ParseInt(f[first+k], 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("cannot read %q: %w", stat, err)
		}
		v[k] = time.Duration(n) * tick
	}
	return v[0] + v[1], v[2] + v[3], nil
}

// threadsCPU is the CPU time of the living threads of a process; 0 where the kernel
// does not count it.
func threadsCPU(dir string) time.Duration {
	files, err := filepath.Glob(filepath.Join(dir, "task", "*", "schedstat"))
	if err != nil {
		return 0
	}
	var sum time.Duration
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		first, _, _ := strings.Cut(string(b), " ")
		if n, err := strconv.ParseInt(first, 10, 64); err == nil {
			sum += time.Duration(n)
		}
	}
	return sum
}
