package lab

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/unilb/unilb/topology"
)

func TestMissingBinariesAreNamedAllAtOnce(t *testing.T) {
	s, err := topology.LoadLibrary("hello")
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Plan()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "l7admin"), 0o755); err != nil { // a directory is no program
		t.Fatal(err)
	}
	var missing *MissingBinaries
	if err := CheckBinaries(p, dir, GatewayBinary); !errors.As(err, &missing) || missing.Dir != dir || !slices.Equal(missing.Names, []string{"l7admin", "l7gw", "unilb-etcd"}) {
		t.Errorf("got %v, want l7admin, l7gw and unilb-etcd missing in %s", err, dir)
	}
	if err := os.Remove(filepath.Join(dir, "l7admin")); err != nil {
		t.Fatal(err)
	}
	for _, name := range missing.Names {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := CheckBinaries(p, dir, GatewayBinary); err != nil {
		t.Errorf("nothing is missing: %v", err)
	}
}
