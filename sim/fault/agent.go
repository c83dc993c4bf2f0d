package fault

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/topology"
)

// AgentCrash ends the agents of gateways, l7admin nodes and hosts, and nobody
// starts them again before it is healed. What the agent had programmed into the
// kernel stays: traffic goes on, and no change of a tenant's network arrives.
type AgentCrash struct {
	On topology.Selector `json:"on" arg:"1" need:"true" doc:"nodes"`
}

func (f AgentCrash) kill() Kill { return Kill{On: f.On, Process: topology.ProcAgent} }

// Spelling implements Spelled.
func (f AgentCrash) Spelling() error { return f.On.Check() }

// Kind implements Fault.
func (AgentCrash) Kind() string { return "agent-crash" }

func (f AgentCrash) String() string {
	return fmt.Sprintf("the agent of %s crashes and stays away", f.On)
}

// Touches implements Fault: of the selected nodes those that have an agent.
func (f AgentCrash) Touches(t Target) []topology.Ref {
	var out []topology.Ref
	for _, m := range t.Machines(f.On) {
		if len(processesOf(m, topology.ProcAgent)) > 0 {
			out = append(out, m.Ref())
		}
	}
	return out
}

// Claims implements Claimer.
func (f AgentCrash) Claims(t Target) []Claim { return f.kill().Claims(t) }

// Survey implements Surveyor.
func (AgentCrash) Survey(t Target) error {
	if len((AgentCrash{On: "**"}).Touches(t)) == 0 {
		return &Unavailable{Fault: "agent-crash", Machine: true, Why: "no node of this lab has an agent"}
	}
	return nil
}

// Check implements Fault.
func (f AgentCrash) Check(t Target) error { return needProcess(t, f, f.On, topology.ProcAgent) }

// Apply implements Fault.
func (f AgentCrash) Apply(ctx context.Context, t Target) error { return f.kill().Apply(ctx, t) }

// Revert implements Fault.
func (f AgentCrash) Revert(ctx context.Context, t Target) error { return f.kill().Revert(ctx, t) }
