package supervisor

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
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
		if err := (Entry{Name: name, Pid: 1}).write(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "lbsim", "broken.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	labs, err := List()
	if err != nil || len(labs) != 1 || labs[0].Name != alive {
		t.Fatalf("list: %v, %v, want %s alone", labs, err, alive)
	}
	left, err := os.ReadDir(filepath.Join(dir, "lbsim"))
	if err != nil || len(left) != 1 {
		t.Errorf("entries left: %v, %v, want one", left, err)
	}
	if e, err := Find(""); err != nil || e.Name != alive {
		t.Errorf("find the only one: %v, %v", e, err)
	}
	var missing *NotFound
	if _, err := Find(dead); !errors.As(err, &missing) || len(missing.Known) != 1 {
		t.Errorf("find %s: %v", dead, err)
	}
}

func TestNamesOfLabs(t *testing.T) {
	for name, ok := range map[string]bool{"two-az": true, "a": true, "": false, "Two": false, "-a": false, "a/b": false, "a b": false, "a.json": false} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("name %q: %v", name, err)
		}
	}
}
