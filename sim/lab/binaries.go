package lab

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/unilb/unilb/topology"
)

// MissingBinaries says that programs which a plan starts are not where they
// should be. Nothing was built.
type MissingBinaries struct {
	Dir   string
	Names []string // sorted
}

func (e *MissingBinaries) Error() string {
	return fmt.Sprintf("binaries missing in %q: %s; build them with: make build", e.Dir, strings.Join(e.Names, ", "))
}

// CheckBinaries looks for every program that the plan starts from dir, and for
// the others that the caller names. The gateways' program is not the plan's to
// know: their driver says it. The error is *MissingBinaries.
func CheckBinaries(p *topology.Plan, dir string, others ...string) error {
	missing := map[string]bool{}
	look := func(name string) {
		if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.IsDir() {
			missing[name] = true
		}
	}
	for i := range p.Nodes {
		for _, q := range p.Nodes[i].Processes {
			if !q.Gateway {
				look(q.Binary)
			}
		}
	}
	for _, name := range others {
		look(name)
	}
	if len(missing) == 0 {
		return nil
	}
	return &MissingBinaries{Dir: dir, Names: slices.Sorted(maps.Keys(missing))}
}
