package census

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/sandbox"
)

// links counts the network devices of the namespace that the process is in.
func (t *taker) links() error {
	ifs, err := net.Interfaces()
	if err != nil {
		return err
	}
	for _, i := range ifs {
		if err := t.add(fmt.Sprintf("%d %s", i.Index, i.Name), ""); err != nil {
			return err
		}
	}
	return nil
}

// A mountLine is a line of /proc/self/mountinfo (proc(5)).
type mountLine struct{ root, point, fstype, source string }

func mountLines() ([]mountLine, error) {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var out []mountLine
	for line := range strings.Lines(string(b)) {
		before, after, _ := strings.Cut(line, " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if len(f) < 5 || len(g) < 2 {
			return nil, fmt.Errorf("mountinfo: cannot read %q", line)
		}
		out = append(out, mountLine{root: f[3], point: f[4], fstype: g[0], source: g[1]})
	}
	return out, nil
}

// mounts counts what is mounted.
func (t *taker) mounts() error {
	lines, err := mountLines()
	if err != nil {
		return err
	}
	for _, m := range lines {
		if err := t.add(fmt.Sprintf("%s on %s, %s", m.source, m.point, m.fstype), ""); err != nil {
			return err
		}
	}
	return nil
}

// pins counts what is pinned below sandbox.BPF. Without a bpffs there nothing can
// be pinned, and it is not looked at.
func (t *taker) pins() error {
	var st unix.Statfs_t
	if err := unix.Statfs(sandbox.BPF, &st); err != nil || st.Type != unix.BPF_FS_MAGIC {
		return errNotLooked
	}
	return t.below(sandbox.BPF)
}

// files counts what is below the directories of the options.
func (t *taker) files() error {
	if len(t.Files) == 0 {
		return errNotLooked
	}
	for _, dir := range t.Files {
		if err := t.below(dir); err != nil {
			return err
		}
	}
	return nil
}

// below counts everything below a directory, directories too.
func (t *taker) below(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // gone meanwhile, or never there
		case err != nil:
			return err
		case path == dir:
			return nil
		case t.own(path):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		return t.add(path, "")
	})
}

// own says whether a path is in one of the directories that do not count.
func (t *taker) own(path string) bool {
	for _, dir := range t.Own {
		if path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/") {
			return true
		}
	}
	return false
}
