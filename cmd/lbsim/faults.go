package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/topology"
)

const injectHelp = `Break something. It stays broken until "lbsim heal" or "lbsim down".

  kill SELECTOR [PROCESS]          SIGKILL: peers see resets
  freeze SELECTOR [PROCESS]        SIGSTOP: connections open, nobody answers
  power-off SELECTOR               links first, then processes: silence
  partition SELECTOR SELECTOR [a-to-b|b-to-a]
                                   what one side sends the other is lost`

func injectCommand(out *output) *cobra.Command {
	cmd := &cobra.Command{
		Use: "inject FAULT SELECTOR...", Short: "Break something in a lab", Long: injectHelp, Args: args(cobra.RangeArgs(2, 4)),
		Example: "  lbsim inject power-off 'bj/az1/**'\n  lbsim inject freeze bj/az1/l7-1 gateway",
	}
	name := labFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, a []string) error {
		f, err := parseFault(a[0], a[1:])
		if err != nil {
			return inputError(err)
		}
		client, _, err := open(*name)
		if err != nil {
			return err
		}
		applied, err := client.Inject(withoutInterrupt(cmd), f)
		if err != nil {
			return err
		}
		return printFaults(out, "injected", applied)
	}
	return cmd
}

// withoutInterrupt is for what must not be left half done.
func withoutInterrupt(cmd *cobra.Command) context.Context {
	return context.WithoutCancel(cmd.Context())
}

func parseFault(kind string, a []string) (fault.Fault, error) {
	on := topology.Selector(a[0])
	if err := on.Check(); err != nil {
		return nil, err
	}
	second := ""
	if len(a) > 1 {
		second = a[1]
	}
	most := map[string]int{"kill": 2, "freeze": 2, "power-off": 1, "partition": 3}[kind]
	if len(a) > most && most > 0 {
		return nil, fmt.Errorf("%s takes at most %d arguments", kind, most)
	}
	switch kind {
	case "kill":
		return fault.Kill{On: on, Process: second}, nil
	case "freeze":
		return fault.Freeze{On: on, Process: second}, nil
	case "power-off":
		return fault.PowerOff{On: on}, nil
	case "partition":
		f := fault.Partition{A: on, B: topology.Selector(second)}
		if len(a) > 2 {
			f.Direction = fault.Direction(a[2])
		}
		return f, f.B.Check()
	default:
		return nil, fmt.Errorf("no fault %q; there are: kill, freeze, power-off, partition", kind)
	}
}

func healCommand(out *output) *cobra.Command {
	cmd := &cobra.Command{Use: "heal [FAULT-ID...]", Short: "Mend faults, all of them by default, the last one first"}
	name := labFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, ids []string) error {
		client, _, err := open(*name)
		if err != nil {
			return err
		}
		healed, err := client.Heal(withoutInterrupt(cmd), ids...)
		if err != nil {
			return err
		}
		if len(healed) == 0 {
			progress("nothing is broken")
		}
		return printFaults(out, "healed", healed)
	}
	return cmd
}

func printFaults(out *output, kind string, faults []lab.FaultStatus) error {
	for _, f := range faults {
		var err error
		if out.json {
			err = out.object(kind, f)
		} else {
			_, err = fmt.Fprintln(out.to, strings.Join([]string{kind, f.ID + ":", f.Text}, " "))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
