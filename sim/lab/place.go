package lab

import (
	"slices"
	"strings"

	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/topology"
)

// diskDir is where plans put what nodes keep on disk. It is inside the sandbox.
const diskDir = "/run/lab"

// placed is the plan with directories of this lab alone. A plan says /run/lab/<node>
// and /sys/fs/bpf/<node>, whatever the lab is called; two labs of one sandbox have
// nodes of the same names, and must not find each other's stores and pins.
func placed(p *topology.Plan) *topology.Plan {
	c := *p
	c.Nodes = slices.Clone(p.Nodes)
	for i := range c.Nodes {
		procs := slices.Clone(c.Nodes[i].Processes)
		for j := range procs {
			procs[j].Args = slices.Clone(procs[j].Args)
			for k, arg := range procs[j].Args {
				procs[j].Args[k] = placedPath(arg, p.Lab)
			}
		}
		c.Nodes[i].Processes = procs
	}
	return &c
}

func placedPath(arg, lab string) string {
	for _, root := range []string{diskDir, sandbox.BPF} {
		if rest, ok := strings.CutPrefix(arg, root+"/"); ok {
			return root + "/" + lab + "/" + rest
		}
	}
	return arg
}
