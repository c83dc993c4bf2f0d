package supervisor

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/topology"
)

func TestOnlyLabsThatAnswerAreListed(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", dir)
	// Abstract names are the machine's: another run of this test may go on.
	alive, dead := fmt.Sprintf("alive-%d", os.Getpid()), fmt.Sprintf("dead-%d", os.Getpid())
	l, err := net.ListenUnix("unix", address(alive))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, name := range []string{alive, dead} {
		enter(t, Entry{Name: name, Pid: 1, Dir: filepath.Join(dir, "temp", name), Temp: true})
	}
	for _, name := range []string{"broken.json", "killed.json" + unwritten, "foreign"} {
		if err := os.WriteFile(filepath.Join(dir, "lbsim", name), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	labs, err := List()
	if err != nil || len(labs) != 1 || labs[0].Name != alive {
		t.Fatalf("list: %v, %v, want %s alone", labs, err, alive)
	}
	if got, want := names(t, filepath.Join(dir, "lbsim")), []string{alive + ".json", "foreign"}; !slices.Equal(got, want) {
		t.Errorf("left in the registry: %q, want %q", got, want)
	}
	if got := names(t, filepath.Join(dir, "temp")); !slices.Equal(got, []string{alive}) {
		t.Errorf("left of directories: %q, want that of %s", got, alive)
	}
	if e, err := Find(""); err != nil || e.Name != alive {
		t.Errorf("find the only one: %v, %v", e, err)
	}
	var missing *NotFound
	if _, err := Find(dead); !errors.As(err, &missing) || len(missing.Known) != 1 {
		t.Errorf("find %s: %v", dead, err)
	}
}

// enter writes an entry and makes its directory.
func enter(t *testing.T, e Entry) {
	t.Helper()
	if err := locked(e.write); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(e.Dir, "logs"), 0o700); err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// A command that ends a lab and is slow to notice must not take the next one of the
// same name for it.
func TestLaterLabOfTheNameIsNotForgotten(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", dir)
	earlier := Entry{Name: "x", Dir: filepath.Join(dir, "temp", "x"), Temp: true, Started: time.Now()}
	later := earlier
	later.Started = earlier.Started.Add(time.Nanosecond)
	enter(t, later)
	if err := earlier.forget(); err != nil {
		t.Fatal(err)
	}
	if got := names(t, filepath.Join(dir, "temp")); len(got) != 1 || read(filepath.Join(dir, "lbsim"), "x").Name != "x" {
		t.Errorf("the later lab has %q and no entry", got)
	}
	if err := later.forget(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "temp")); !os.IsNotExist(err) {
		t.Errorf("its own command left something: %v", err)
	}
}

// The temporary directory is where everybody may write: what somebody has put there
// in advance is not followed.
func TestPreparedLinkIsNotFollowed(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", filepath.Join(dir, "run"))
	t.Setenv("TMPDIR", dir)
	name := fmt.Sprintf("prepared-%d", os.Getpid())
	if err := os.Symlink(elsewhere, tempDir()); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(elsewhere, name, "precious"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, l, err := LaunchOptions{Plan: &topology.Plan{Lab: name}}.reserve()
	if err == nil {
		l.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "belongs to somebody else") {
		t.Errorf("got %v, want a refusal", err)
	}
	if got := names(t, filepath.Join(elsewhere, name)); len(got) != 1 {
		t.Errorf("what the link leads to holds %q", got)
	}
}

func TestNamesOfLabs(t *testing.T) {
	for name, ok := range map[string]bool{"two-az": true, "a": true, "": false, "Two": false, "-a": false, "a/b": false, "a b": false, "a.json": false} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("name %q: %v", name, err)
		}
	}
}
