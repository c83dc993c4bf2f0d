package supervisor

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// An Entry says where a running lab is.
type Entry struct {
	Name     string    `json:"name"`
	Topology string    `json:"topology"` // as given to up: a name or a file
	Dir      string    `json:"dir"`      // logs/ and ledger.ndjson
	Temp     bool      `json:"temp"`     // Dir goes with the lab
	Pid      int       `json:"pid"`      // of the sandbox's pid 1
	Started  time.Time `json:"started"`
}

var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// CheckName says whether a lab may have the name.
func CheckName(name string) error {
	if !validName.MatchString(name) {
		return fmt.Errorf("lab name %q: want a-z, 0-9 and \"-\", at most 40 characters", name)
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
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make registry of labs: %w", err)
	}
	st, err := os.Stat(dir)
	if err != nil {
		return "", fmt.Errorf("make registry of labs: %w", err)
	}
	if sys, ok := st.Sys().(*syscall.Stat_t); !ok || int(sys.Uid) != os.Getuid() {
		return "", fmt.Errorf("make registry of labs: %s belongs to somebody else", dir)
	}
	return dir, nil
}

// address is the abstract socket of a lab.
func address(name string) *net.UnixAddr {
	return &net.UnixAddr{Net: "unix", Name: fmt.Sprintf("@lbsim/%d/%s", os.Getuid(), name)}
}

func (e Entry) path() (string, error) {
	dir, err := registryDir()
	return filepath.Join(dir, e.Name+".json"), err
}

// write puts the entry into the registry, whole or not at all.
func (e Entry) write() error {
	path, err := e.path()
	if err != nil {
		return err
	}
	b, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write registry entry: %w", err)
	}
	next := fmt.Sprintf("%s.%d", path, os.Getpid())
	if err := os.WriteFile(next, b, 0o600); err != nil {
		return fmt.Errorf("write registry entry: %w", err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("write registry entry: %w", err)
	}
	return nil
}

func (e Entry) remove() {
	if path, err := e.path(); err == nil {
		_ = os.Remove(path) // another command may have been faster
	}
}

// alive reports whether somebody holds the lab's socket.
func (e Entry) alive() bool {
	c, err := net.DialUnix("unix", nil, address(e.Name))
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// List returns the labs that run, by name. Entries of labs that do not are
// removed: their supervisor was killed, and the kernel has freed everything else.
func List() ([]Entry, error) {
	dir, err := registryDir()
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("read registry: %w", err)
	}
	slices.Sort(files)
	var out []Entry
	for _, f := range files {
		b, err := os.ReadFile(f)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		var e Entry
		if err == nil {
			err = json.Unmarshal(b, &e)
		}
		if err != nil || e.Name != strings.TrimSuffix(filepath.Base(f), ".json") || !e.alive() {
			_ = os.Remove(f) // another command may have been faster
			continue
		}
		out = append(out, e)
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
