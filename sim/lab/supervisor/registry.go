package supervisor

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// unwritten ends the name of an entry that is being written.
const unwritten = ".next"

// An Entry says where a running lab is.
type Entry struct {
	Name     string    `json:"name"`
	Topology string    `json:"topology"` // as given to up: a name or a file
	Dir      string    `json:"dir"`      // logs/ and ledger.ndjson
	Temp     bool      `json:"temp"`     // Dir goes with the lab
	Pid      int       `json:"pid"`      // of the sandbox's pid 1; 0: about to be started
	Started  time.Time `json:"started"`
	Job      bool      `json:"job"` // it is there for a run, which takes it down itself
}

var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// CheckName says whether a lab may have the name.
func CheckName(name string) error {
	if !validName.MatchString(name) {
		return fmt.Errorf("lab name %q: want a-z, 0-9 and \"-\", at most 40 characters", name)
	}
	return nil
}

// CheckFree says whether a new lab may have the name now: the error is *InputError or
// *InUse.
func CheckFree(name string) error {
	if err := CheckName(name); err != nil {
		return &InputError{Text: err.Error()}
	}
	if (Entry{Name: name}).alive() {
		return &InUse{Name: name}
	}
	return nil
}

// registryDir is where entries are kept: $XDG_RUNTIME_DIR/lbsim, for root
// /run/lbsim, else a directory of the user's own among temporary files. It is
// made if missing.
func registryDir() (string, error) {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("lbsim-registry-%d", os.Getuid()))
	if base := os.Getenv("XDG_RUNTIME_DIR"); base != "" {
		dir = filepath.Join(base, "lbsim")
	} else if os.Getuid() == 0 {
		dir = "/run/lbsim"
	}
	if err := makeOwn(dir, 0o700); err != nil {
		return "", fmt.Errorf("make registry of labs: %w", err)
	}
	return dir, nil
}

// makeOwn makes a directory where others may write, too: one that is there must be
// of this user, and no link to somewhere else.
func makeOwn(dir string, mode os.FileMode) error {
	if err := os.MkdirAll(dir, mode); err != nil {
		return err
	}
	if !isOwn(dir) {
		return fmt.Errorf("%s belongs to somebody else", dir)
	}
	return nil
}

func isOwn(dir string) bool {
	st, err := os.Lstat(dir)
	if err != nil {
		return false
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	return ok && int(sys.Uid) == os.Getuid() && st.IsDir()
}

// address is the abstract socket of a lab.
func address(name string) *net.UnixAddr {
	return &net.UnixAddr{Net: "unix", Name: fmt.Sprintf("@lbsim/%d/%s", os.Getuid(), name)}
}

// read reads the entry of a name; the zero value when there is none, or none that
// can be read.
func read(dir, name string) Entry {
	var e Entry
	b, err := os.ReadFile(filepath.Join(dir, name+".json"))
	if err != nil || json.Unmarshal(b, &e) != nil || e.Name != name {
		return Entry{}
	}
	return e
}

// write puts the entry into the registry, whole or not at all. The registry is
// locked.
func (e Entry) write(dir string) error {
	b, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write registry entry: %w", err)
	}
	path := filepath.Join(dir, e.Name+".json")
	if err := os.WriteFile(path+unwritten, b, 0o600); err != nil {
		return fmt.Errorf("write registry entry: %w", err)
	}
	if err := os.Rename(path+unwritten, path); err != nil {
		return fmt.Errorf("write registry entry: %w", err)
	}
	return nil
}

// discard removes what a lab that has ended leaves outside its sandbox: a temporary
// directory, then the entry that names it. It does nothing when the entry is that of
// a later lab. The registry is locked.
func (e Entry) discard(dir string) error {
	if now := read(dir, e.Name); !now.Started.Equal(e.Started) {
		return nil
	}
	if e.Temp && isOwn(filepath.Dir(e.Dir)) {
		if err := os.RemoveAll(e.Dir); err != nil {
			return fmt.Errorf("remove directory of lab %s: %w", e.Name, err)
		}
		_ = os.Remove(filepath.Dir(e.Dir)) // not while other labs are in it
	}
	if err := os.Remove(filepath.Join(dir, e.Name+".json")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove registry entry: %w", err)
	}
	return nil
}

// forget is discard, with the lock.
func (e Entry) forget() error { return locked(e.discard) }

// alive reports whether somebody holds the lab's socket.
func (e Entry) alive() bool {
	c, err := net.DialUnix("unix", nil, address(e.Name))
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// List returns the labs that run, by name. What labs that do not run have left is
// removed, entry and temporary directory: they were killed, and the kernel has freed
// everything else.
func List() ([]Entry, error) {
	var out []Entry
	err := locked(func(dir string) error {
		files, err := os.ReadDir(dir) // by name
		if err != nil {
			return fmt.Errorf("read registry: %w", err)
		}
		var errs []error
		for _, f := range files {
			name, ok := strings.CutSuffix(f.Name(), ".json")
			if !ok {
				if strings.HasSuffix(f.Name(), ".json"+unwritten) {
					_ = os.Remove(filepath.Join(dir, f.Name())) // whoever wrote it was killed
				}
				continue
			}
			switch e := read(dir, name); {
			case e.Name == "":
				_ = os.Remove(filepath.Join(dir, f.Name())) // it says nothing
			case e.alive():
				out = append(out, e)
			default:
				errs = append(errs, e.discard(dir))
			}
		}
		return errors.Join(errs...)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// A NotFound says that no lab has the name, or, without a name, that it is not
// clear which lab is meant.
type NotFound struct {
	Name  string
	Known []string
}

func (e *NotFound) Error() string {
	switch {
	case len(e.Known) == 0 && e.Name == "":
		return "no lab is up; see: lbsim up --help"
	case len(e.Known) == 0:
		return fmt.Sprintf("no lab %q is up, nor any other", e.Name)
	case e.Name == "":
		return fmt.Sprintf("several labs are up, name one with --lab: %s", strings.Join(e.Known, ", "))
	default:
		return fmt.Sprintf("no lab %q is up; there are: %s", e.Name, strings.Join(e.Known, ", "))
	}
}

// Find returns the lab with the name; without a name the only one that is up.
func Find(name string) (Entry, error) {
	all, err := List()
	if err != nil {
		return Entry{}, err
	}
	missing := &NotFound{Name: name}
	for _, e := range all {
		if e.Name == name || name == "" && len(all) == 1 {
			return e, nil
		}
		missing.Known = append(missing.Known, e.Name)
	}
	return Entry{}, missing
}
