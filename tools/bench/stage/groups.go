package stage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// groupPrefix begins the names of our groups below the root of each hierarchy; what follows
// is when the run began.
const groupPrefix = "unilb-bench-"

// Groups are the control groups of one run: one for everything, and one below it for
// each program that is measured. The kernel's accounting of a group is exact to the microsecond, and
// includes the processes that have ended.
type Groups struct {
	v2, cpu string // mount points; cpu: where the controller lives
	name    string
	home    string // of the driver, before
	limits  bool   // the controller exists, in one hierarchy or the other
	one     bool   // v2 has the controller itself
}

// OpenGroups mounts the hierarchies in this sandbox, and moves this process into a
// group of the run.
func OpenGroups(dir string) (_ *Groups, err error) {
	g := &Groups{v2: filepath.Join(dir, "cgroup2"), name: fmt.Sprintf("%s%d", groupPrefix, time.Now().UnixNano())}
	if err := mountGroup("cgroup2", g.v2, ""); err != nil {
		return nil, fmt.Errorf("the accounting of cgroup v2 is needed: %w", err)
	}
	self, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	v1 := ""
	g.home, v1 = parseOwnGroups(string(self))
	have, err := os.ReadFile(filepath.Join(g.v2, "cgroup.controllers"))
	if err != nil {
		return nil, err
	}
	switch {
	case strings.Contains(" "+strings.TrimSpace(string(have))+" ", " cpu "):
		g.cpu, g.limits, g.one = g.v2, true, true
	case v1 != "":
		g.cpu = filepath.Join(dir, "cgroup1")
		g.limits = mountGroup("cgroup", g.cpu, v1) == nil
	}
	g.sweep()
	for _, d := range []string{"", "driver", "lab", "load"} {
		if err := g.Make(d); err != nil {
			return nil, errors.Join(err, g.Close())
		}
	}
	if g.one { // groups below may have limits only when all above say so
		for _, d := range []string{g.v2, g.path("")} {
			if err := write(d, "cgroup.subtree_control", "+cpu"); err != nil {
				g.limits = false
			}
		}
	}
	if err := write(g.path("driver"), "cgroup.procs", strconv.Itoa(os.Getpid())); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

func mountGroup(kind, at, options string) error {
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(kind, at, kind, unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, options); err != nil {
		return fmt.Errorf("mount %s: %w", kind, err)
	}
	return nil
}

// parseOwnGroups reads /proc/self/cgroup: the group in v2, and the options that
// mount the v1 hierarchy of the CPU controller ("" where there is none).
func parseOwnGroups(text string) (v2, v1 string) {
	for line := range strings.Lines(text) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 {
			continue
		}
		if f[0] == "0" && f[1] == "" {
			v2 = f[2]
		}
		for c := range strings.SplitSeq(f[1], ",") {
			if c == "cpu" {
				v1 = f[1]
			}
		}
	}
	return v2, v1
}

// sweep removes what killed runs left. The kernel removes no group with processes, but
// those of a run that lives may have none at the moment: its driver is in one.
func (g *Groups) sweep() {
	for _, root := range []string{g.v2, g.cpu} {
		if root == "" {
			continue
		}
		old, _ := filepath.Glob(filepath.Join(root, groupPrefix+"*")) // the pattern is right
		for _, run := range old {
			if lives(filepath.Join(g.v2, filepath.Base(run))) {
				continue
			}
			below, _ := filepath.Glob(filepath.Join(run, "*")) // it is right, too
			for _, d := range append(below, run) {
				_ = unix.Rmdir(d) // of files and of groups with processes it is refused
			}
		}
	}
}

// beginning is how long a run may take to put its driver into its group.
const beginning = time.Minute

// lives tells whether the run of a group may go on.
func lives(run string) bool {
	began, err := strconv.ParseInt(strings.TrimPrefix(filepath.Base(run), groupPrefix), 10, 64)
	if err != nil || time.Since(time.Unix(0, began)) < beginning {
		return true
	}
	pids, _ := os.ReadFile(filepath.Join(run, "driver", "cgroup.procs")) // none: it is gone
	return len(pids) > 0
}

// Dir is the directory of the run's group, which is gone after Close. Runs of other
// processes have theirs beside it.
func (g *Groups) Dir() string { return g.path("") }

// path of a group of this run in v2; "": of everything.
func (g *Groups) path(name string) string { return filepath.Join(g.v2, g.name, name) }

// Make makes a group, unless it is there.
func (g *Groups) Make(name string) error {
	if err := os.MkdirAll(g.path(name), 0o755); err != nil {
		return fmt.Errorf("make a group: %w", err)
	}
	return nil
}

// Usage is the CPU time of a group and of all below it.
func (g *Groups) Usage(name string) (time.Duration, error) {
	b, err := os.ReadFile(filepath.Join(g.path(name), "cpu.stat"))
	if err != nil {
		return 0, fmt.Errorf("read CPU time: %w", err)
	}
	return parseUsage(string(b))
}

func parseUsage(stat string) (time.Duration, error) {
	for line := range strings.Lines(stat) {
		if v, ok := strings.CutPrefix(line, "usage_usec "); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
			return time.Duration(n) * time.Microsecond, err
		}
	}
	return 0, fmt.Errorf("no usage_usec in %q", stat)
}

// PIDs are the processes of a group.
func (g *Groups) PIDs(name string) ([]int, error) {
	b, err := os.ReadFile(filepath.Join(g.path(name), "cgroup.procs"))
	if err != nil {
		return nil, err
	}
	var out []int
	for f := range strings.FieldsSeq(string(b)) {
		pid, err := strconv.Atoi(f)
		if err != nil {
			return nil, err
		}
		out = append(out, pid)
	}
	return out, nil
}

// Limit lets the processes of a group, and those that they start, use so many cores.
// The period is a hundredth of a second: with the usual tenth a proxy would stand
// still for longer than a request takes.
func (g *Groups) Limit(name string, cores float64) error {
	const period = 10_000 // microseconds
	quota := strconv.Itoa(int(cores * period))
	if !g.limits {
		return errors.New("this machine has no CPU controller in its control groups")
	}
	if g.one {
		return write(g.path(name), "cpu.max", quota+" "+strconv.Itoa(period))
	}
	dir := filepath.Join(g.cpu, g.name, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := errors.Join(write(dir, "cpu.cfs_period_us", strconv.Itoa(period)), write(dir, "cpu.cfs_quota_us", quota)); err != nil {
		return err
	}
	pids, err := g.PIDs(name)
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if err := write(dir, "cgroup.procs", strconv.Itoa(pid)); err != nil {
			return err
		}
	}
	return nil
}

func write(dir, file, text string) error {
	if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
		return fmt.Errorf("set %s: %w", file, err)
	}
	return nil
}

// End kills what is left in a group, waits until it is gone and removes the group.
func (g *Groups) End(name string) error {
	const within, pause = 5 * time.Second, 5 * time.Millisecond
	if err := write(g.path(name), "cgroup.kill", "1"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for start := time.Now(); ; time.Sleep(pause) {
		err := g.remove(name)
		if err == nil || time.Since(start) > within {
			return err
		}
	}
}

// remove removes the group of a proxy whose processes have ended.
func (g *Groups) remove(name string) error {
	err := rmdir(g.path(name))
	if g.limits && !g.one {
		err = errors.Join(err, rmdir(filepath.Join(g.cpu, g.name, name)))
	}
	return err
}

func rmdir(dir string) error {
	if err := unix.Rmdir(dir); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("remove group %s: %w", filepath.Base(dir), err)
	}
	return nil
}

// Close goes home and removes the groups of the run. Their processes have ended.
func (g *Groups) Close() error {
	_ = write(filepath.Join(g.v2, g.home), "cgroup.procs", strconv.Itoa(os.Getpid())) // else the removal says it
	return errors.Join(g.End("load"), g.End("lab"), g.remove("driver"), g.remove(""))
}
