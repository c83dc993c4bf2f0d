package lab

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/topology"
)

// makeDirs makes the node's disk and the directory for its eBPF pins.
func (n *Node) makeDirs(p topology.Process) error {
	dirs := []string{n.dir()}
	if pins := pinDir(p); pins != "" {
		dirs = append(dirs, pins)
	}
	for _, d := range dirs {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return fmt.Errorf("make directory: %w", err)
		}
	}
	return nil
}

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

// removeDisks removes what the nodes have on disk. A disk outlives a power loss,
// but not the lab: another lab of the same sandbox would begin with the etcd of
// this one.
func removeDisks(nodes []*Node) error {
	var errs []error
	for _, n := range nodes {
		errs = append(errs, os.RemoveAll(n.dir()))
	}
	return errors.Join(errs...)
}
