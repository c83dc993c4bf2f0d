package lab

import (
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/topology"
)

// pinDir is the value of the process's --pin-dir, which is on the sandbox's bpffs.
func pinDir(p topology.Process) string {
	i := slices.Index(p.Args, "--pin-dir")
	if i < 0 || i+1 >= len(p.Args) || !strings.HasPrefix(p.Args[i+1], sandbox.BPF+"/") {
		return ""
	}
	return p.Args[i+1]
}

// removePins removes the pins of the nodes' processes.
func removePins(nodes []*Node) error {
	var errs []error
	for _, n := range nodes {
		for _, p := range n.plan.Processes {
			if dir := pinDir(p); dir != "" {
				errs = append(errs, os.RemoveAll(dir))
			}
		}
	}
	return errors.Join(errs...)
}
