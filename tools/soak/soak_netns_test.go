//go:build netns

package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/unilb/unilb/sim/sandbox"
)

var (
	seed   = flag.Uint64("seed", 0, "who is killed and when; 0 draws one")
	rounds = flag.Int("rounds", 2, "how often something is killed")
)

func TestMain(m *testing.M) {
	beGateway()
	sandbox.Main(m)
}

// Make soak does the same more often.
func TestKillsAtRandomMomentsLeaveNothing(t *testing.T) {
	sandbox.Require(t, sandbox.CapNetNS, sandbox.CapRoot)
	failed, err := soak(t.Context(), binaries(t), t.TempDir(), *rounds, seedOf(*seed), t.Output())
	if err != nil || failed > 0 {
		t.Errorf("%d of %d rounds went wrong, %v; the seed is above", failed, *rounds, err)
	}
}

// binaries is $UNILB_BIN, or a directory that the programs are built into, once.
func binaries(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("UNILB_BIN"); dir != "" {
		return dir
	}
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

var built = sync.OnceValues(func() (string, error) {
	const dir = "/run/bin" // of the sandbox: it goes with it
	build := exec.Command("go", "build", "-trimpath", "-o", dir+"/", "../../cmd/lbsim", "../../cmd/unilb-etcd", "../../cmd/l7admin", "../../cmd/l7gw")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the programs: %w\n%s", err, out)
	}
	return dir, nil
})
