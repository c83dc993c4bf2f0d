package sandbox

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// partPrefix marks, in stageVar, a part that another package has named.
const partPrefix = "part:"

// parts are what this program can be started for, beside building sandboxes.
var parts = map[string]func() int{}

// RegisterPart names a part that [Init] and [Main] play when this program was
// started by the command of [Part]: for work that must not be done by the process
// that needs it. The result of play is the exit code. Call it from an init
// function.
func RegisterPart(name string, play func() int) { parts[name] = play }

// Part is the command that starts this program again to play a part.
func Part(name string, args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Args[0] = name // for those who list processes
	cmd.Env = append(os.Environ(), stageVar+"="+partPrefix+name)
	return cmd
}

// playPart ends the process when it was started to play a part.
func playPart(stage string) {
	name, ok := strings.CutPrefix(stage, partPrefix)
	if !ok {
		return
	}
	play := parts[name]
	if play == nil {
		die(fmt.Errorf("no part %q", name))
	}
	os.Exit(play())
}
