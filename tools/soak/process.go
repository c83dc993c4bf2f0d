package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// A process is one line of /proc.
type process struct {
	pid, parent int
	started     uint64 // ticks since the machine's start
	state       string // as in proc(5): R, S, T, Z ...
	line        string // command, with blanks
	first       bool   // pid 1 of a pid namespace below ours
}

func (p process) is(program string) bool {
	name, _, _ := strings.Cut(p.line, " ")
	return name == program || strings.HasSuffix(name, "/"+program)
}

// processes are all that this one can see.
func processes() ([]process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var out []process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if p, err := processOf(pid); err == nil { // else it has ended meanwhile
			out = append(out, p)
		}
	}
	return out, nil
}

// processOf reads one of them.
func processOf(pid int) (process, error) {
	p := process{pid: pid}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return p, err
	}
	const state, parent, started = 0, 1, 19 // after the name, which may hold anything
	f := strings.Fields(string(stat[strings.LastIndex(string(stat), ")")+1:]))
	if len(f) <= started {
		return p, fmt.Errorf("cannot read %q", stat)
	}
	p.state = f[state]
	if p.parent, err = strconv.Atoi(f[parent]); err != nil {
		return p, err
	}
	if p.started, err = strconv.ParseUint(f[started], 10, 64); err != nil {
		return p, err
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return p, err
	}
	p.line = strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " "))
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return p, err
	}
	for line := range strings.Lines(string(status)) {
		if ids, ok := strings.CutPrefix(line, "NSpid:"); ok {
			all := strings.Fields(ids)
			p.first = len(all) > 1 && all[len(all)-1] == "1"
		}
	}
	return p, nil
}

// A family is what runs of one lab, by the part that it plays.
type family struct {
	first, supervisor int // 0: not there
	children          []int
	gateway           bool // the last process that a lab of hello waits for has been started
}

// familyOf finds the processes of the only lab: those that are not known.
func familyOf(known []int) (family, error) {
	all, err := processes()
	if err != nil {
		return family{}, err
	}
	all = slices.DeleteFunc(all, func(p process) bool { return slices.Contains(known, p.pid) || p.state == "Z" })
	var f family
	for _, p := range all {
		if p.first && strings.HasSuffix(p.line, " supervise") {
			f.first = p.pid
		}
	}
	for _, p := range all {
		if f.first != 0 && p.parent == f.first && strings.HasSuffix(p.line, " supervise") {
			f.supervisor = p.pid
		}
	}
	for _, p := range all {
		if f.supervisor != 0 && p.parent == f.supervisor && !strings.HasSuffix(p.line, " supervise") {
			f.children = append(f.children, p.pid)
			f.gateway = f.gateway || p.is("l7gw")
		}
	}
	return f, nil
}
