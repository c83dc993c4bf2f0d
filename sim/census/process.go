package census

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// processes counts every process of the pid namespace but those of the kernel. A
// process is known by its pid and the moment it started, for pids come again. One
// that has ended and that nobody has waited for counts, too.
func (t *taker) processes() error {
	return eachProcess(func(pid int) error {
		st, ok := statOf(pid)
		if !ok || st.ofKernel(pid) {
			return nil
		}
		what := commandOf(pid)
		switch {
		case st.state == "Z":
			what = "(" + st.name + ") has ended, nobody waited for it"
		case what == "":
			what = "(" + st.name + ")"
		}
		return t.add(fmt.Sprintf("%d@%s", pid, st.started), fmt.Sprintf("%d %s", pid, what))
	})
}

// eachProcess visits the pids there are. Any of them may be gone by then.
func eachProcess(visit func(pid int) error) error {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			if err := visit(pid); err != nil {
				return err
			}
		}
	}
	return nil
}

// A stat is what /proc/<pid>/stat says (proc(5)).
type stat struct{ name, state, parent, started string }

// ofKernel says whether it is a thread of the kernel, which only the machine's own
// pid namespace shows.
func (s stat) ofKernel(pid int) bool {
	return s.parent == "2" || pid == 2 && s.parent == "0" && s.name == "kthreadd"
}

func statOf(pid int) (stat, bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, false
	}
	_, rest, _ := strings.Cut(string(b), "(")
	end := strings.LastIndexByte(rest, ')') // the name may hold anything
	if end < 0 {
		return stat{}, false
	}
	fields := strings.Fields(rest[end+1:])
	const state, parent, started = 0, 1, 19
	if len(fields) <= started {
		return stat{}, false
	}
	return stat{name: rest[:end], state: fields[state], parent: fields[parent], started: fields[started]}, true
}

// commandOf is the command line of a process, empty when it has none.
func commandOf(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return ""
	}
	const most = 120
	line := strings.TrimSpace(strings.ReplaceAll(string(b), "\x00", " "))
	if len(line) > most {
		line = line[:most] + "..."
	}
	return line
}

// namespaces counts the network namespaces that a process, a thread of this
// process, a descriptor of it or a mount holds.
func (t *taker) namespaces() error {
	seen := map[string]string{} // who holds it
	note := func(link, who string) {
		if strings.HasPrefix(link, "net:[") && seen[link] == "" {
			seen[link] = who
		}
	}
	mounts, err := mountLines()
	if err != nil {
		return err
	}
	for _, m := range mounts {
		note(m.root, "mounted on "+m.point)
	}
	for glob, who := range map[string]string{"/proc/self/task/*/ns/net": "a thread", "/proc/self/fd/*": "a descriptor"} {
		paths, err := filepath.Glob(glob)
		if err != nil {
			return err
		}
		for _, p := range paths {
			if link, err := os.Readlink(p); err == nil { // it may be gone
				note(link, who+" of the census taker")
			}
		}
	}
	err = eachProcess(func(pid int) error {
		if link, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid)); err == nil {
			note(link, "process "+strconv.Itoa(pid))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for ns, who := range seen {
		if err := t.add(ns, ns+", held by "+who); err != nil {
			return err
		}
	}
	t.sort()
	return nil
}
