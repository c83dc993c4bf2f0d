package proc

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Files are the open files of one process.
type Files struct {
	Pid     int
	Started uint64 // in clock ticks since the machine's start: Pid and Started are one process for ever
	Limit   uint64 // RLIMIT_NOFILE, the soft one
	Open    []int  // descriptors, ascending
}

// Files returns the open files of the process, and then of those that it started
// and that are still in its group. Of a process that has ended it returns
// ErrEnded.
func (p *Process) Files() ([]Files, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return nil, ErrEnded
	}
	group, err := groupOf(p.group())
	if err != nil {
		return nil, fmt.Errorf("read open files of %s: %w", p.spec.Name, err)
	}
	var out []Files
	for _, pid := range group {
		f, err := filesOf(pid)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue // it has ended this moment
		}
		if err != nil {
			return nil, fmt.Errorf("read open files of %s: %w", p.spec.Name, err)
		}
		out = append(out, f)
	}
	return out, nil
}

// LimitFiles sets the soft limit of the open files of one process that Files
// returned; it bounds their numbers, not their count. ErrEnded: it has ended.
func (p *Process) LimitFiles(of Files, limit uint64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return ErrEnded
	}
	_, started, err := kin(of.Pid)
	if err != nil || started != of.Started {
		return ErrEnded
	}
	var l unix.Rlimit
	if err = unix.Prlimit(of.Pid, unix.RLIMIT_NOFILE, nil, &l); err == nil {
		l.Cur = min(limit, l.Max)
		err = unix.Prlimit(of.Pid, unix.RLIMIT_NOFILE, &l, nil)
	}
	if errors.Is(err, unix.ESRCH) {
		return ErrEnded
	}
	if err != nil {
		return fmt.Errorf("limit open files of %s, process %d, to %d: %w", p.spec.Name, of.Pid, limit, err)
	}
	return nil
}

// groupOf returns the processes of a group, the leader first.
func groupOf(leader int) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	out := []int{leader}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == leader {
			continue
		}
		if group, _, err := kin(pid); err == nil && group == leader {
			out = append(out, pid)
		}
	}
	return out, nil
}

// kin reads the group of a process and when it was started.
func kin(pid int) (group int, started uint64, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	const groupField, startedField = 2, 19 // after the name, which may hold anything
	i := strings.LastIndex(string(b), ") ")
	fields := strings.Fields(string(b[i+1:]))
	if i < 0 || len(fields) <= startedField {
		return 0, 0, fmt.Errorf("cannot read %q", b)
	}
	if group, err = strconv.Atoi(fields[groupField]); err != nil {
		return 0, 0, err
	}
	started, err = strconv.ParseUint(fields[startedField], 10, 64)
	return group, started, err
}

// filesOf reads the open files of one process.
func filesOf(pid int) (Files, error) {
	f := Files{Pid: pid}
	var err error
	if _, f.Started, err = kin(pid); err != nil {
		return f, err
	}
	var l unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &l); err != nil {
		return f, err
	}
	f.Limit = l.Cur
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return f, err
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil {
			f.Open = append(f.Open, fd)
		}
	}
	slices.Sort(f.Open)
	return f, nil
}
