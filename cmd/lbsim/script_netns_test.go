//go:build netns

package main

import (
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
