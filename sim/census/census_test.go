package census

import (
	"os"
	"testing"

	"github.com/unilb/unilb/sim/history"
)

// An ordinary user outside a sandbox sees less, but the same twice.
func TestTwoCensusesInARowAgree(t *testing.T) {
	dir := t.TempDir()
	before, err := Take(Options{Files: []string{dir, "/does/not/exist"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/left", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	after, err := Take(Options{Files: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []history.Kind{history.Processes, history.Namespaces, history.Links, history.Mounts, history.FDs, history.Files} {
		if _, looked := before.Things[k]; !looked {
			t.Errorf("it did not look at %s", k)
		}
	}
	// Other processes of the machine come and go; what is ours does not.
	for _, k := range []history.Kind{history.Links, history.FDs, history.Files} {
		one := history.Census{Things: map[history.Kind][]history.Thing{k: before.Things[k]}}
		two := history.Census{Things: map[history.Kind][]history.Thing{k: after.Things[k]}}
		left, _ := one.Left(two)
		if want := map[history.Kind]int{history.Files: 1}[k]; len(left) != want {
			t.Errorf("%s: left %q, want %d", k, left, want)
		}
	}
}
