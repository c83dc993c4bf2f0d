//go:build netns

package main

import (
	"os/exec"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/unilb/unilb/sim/sandbox"
)

// TestScriptsInLabs runs the scripts that bring labs up, with programs that do
// nothing. A script names its lab after itself: scripts run side by side.
func TestScriptsInLabs(t *testing.T) {
	sandbox.Require(t, sandbox.CapNetNS)
	testscript.Run(t, scriptParams("testdata/script/lab"))
}

// TestScriptsOfRuns runs the scripts of incidents, with a store, an Admin API and a
// gateway that do something: those that this tree builds.
func TestScriptsOfRuns(t *testing.T) {
	sandbox.Require(t, sandbox.CapNetNS)
	real := t.TempDir()
	build := exec.Command("go", "build", "-trimpath", "-o", real)
	for _, name := range played {
		if name != "lbsim" {
			build.Args = append(build.Args, "github.com/unilb/unilb/cmd/"+name)
		}
	}
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the programs of a lab: %v\n%s", err, out)
	}
	p := scriptParams("testdata/script/run")
	setup := p.Setup
	p.Setup = func(e *testscript.Env) error {
		err := setup(e)
		e.Setenv("UNILB_BIN", real)
		return err
	}
	testscript.Run(t, p)
}
