// Package stagetest owns what tests of whole benchmarks have in common: what they need,
// and what they must not leave behind.
package stagetest

import (
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/tools/bench/stage"
)

// Bin is the folder of our binaries, $UNILB_BIN. The test is skipped where there is none,
// without root, or when lacks says what else is missing, and fails there when
// LBSIM_REQUIRE names bench.
func Bin(t *testing.T, lacks error) string {
	t.Helper()
	sandbox.Require(t, sandbox.CapNetNS, sandbox.CapRoot)
	bin := os.Getenv("UNILB_BIN")
	if bin == "" {
		lacks = errors.New("UNILB_BIN does not say where the binaries are: make test-net")
	}
	sandbox.Need(t, "bench", lacks)
	return bin
}

// Closed fails when a benchmark that is over ended with an error, or has left its groups
// behind; nil: it made none.
func Closed(t *testing.T, err error, groups *stage.Groups) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
	if groups == nil {
		return
	}
	if _, err := os.Stat(groups.Dir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("left behind: %s, %v", groups.Dir(), err)
	}
}
