package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/lab"
)

func injectCommand(out *output) *cobra.Command {
	cmd := &cobra.Command{
		Use: "inject FAULT [VALUE...]", Short: "Break something in a lab", Args: args(cobra.MinimumNArgs(1)),
		ValidArgsFunction: completeInject,
		Long:              "Break something. It stays broken until \"lbsim heal\" or \"lbsim down\".\n\nFaults, as \"lbsim faults\" explains them:" + usages(),
		Example:           "  lbsim inject power-off 'bj/az1/**'\n  lbsim inject freeze bj/az1/l7-1 gateway",
	}
	name := labFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, a []string) error {
		f, err := fault.Parse(a[0], a[1:]...)
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

// helpWidth is how wide a line of help may be, in characters.
const helpWidth = 100

// usages lists the names of all faults, in lines.
func usages() string {
	var b strings.Builder
	room := 0
	for i, k := range fault.Kinds() {
		if i > 0 {
			b.WriteString(",")
		}
		if room -= len(k.Name) + len(", "); room < 0 {
			room = helpWidth - len(k.Name) - len(",  ")
			b.WriteString("\n ")
		}
		b.WriteString(" " + k.Name)
	}
	return b.String()
}

// faultsCommand explains every fault there is.
func faultsCommand(out *output) *cobra.Command {
	cmd := &cobra.Command{Use: "faults [FAULT]", Short: "Explain the faults there are", Args: args(cobra.MaximumNArgs(1)),
		ValidArgsFunction: onlyWords(first(faultKinds)),
		Long:              "Explain the faults there are. With --lab also say which of them that lab cannot have, and why.",
		Example:           "  lbsim faults\n  lbsim faults partition\n  lbsim faults --lab two-az"}
	name := cmd.Flags().StringP("lab", "l", "", "name of a lab that is asked what it cannot do")
	completeFlag(cmd, "lab", onlyWords(labNames))
	cmd.RunE = func(cmd *cobra.Command, a []string) error {
		kinds := fault.Kinds()
		if len(a) == 1 {
			k, err := fault.KindOf(a[0])
			if err != nil {
				return inputError(err)
			}
			kinds = []fault.Kind{k}
		}
		var lacking map[string]string
		if *name != "" {
			client, _, err := open(*name)
			if err != nil {
				return err
			}
			if lacking, err = client.Lacking(cmd.Context()); err != nil {
				return err
			}
		}
		for _, k := range kinds {
			if err := printKind(out, k, lacking[k.Name]); err != nil {
				return err
			}
		}
		return nil
	}
	return cmd
}

// printKind explains a kind of fault; lacks is why a lab cannot have it.
func printKind(out *output, k fault.Kind, lacks string) error {
	if out.json {
		o := map[string]any{"kind": k.Name, "usage": k.Usage(), "peer": k.Peer, "example": "lbsim inject " + k.Example, "fields": k.Fields}
		if lacks != "" {
			o["unavailable"] = lacks
		}
		return out.object("fault", o)
	}
	_, _ = fmt.Fprintf(out.to, "%s\n    peers see: %s\n    lbsim inject %s\n", k.Usage(), k.Peer, k.Example)
	if lacks != "" {
		_, _ = fmt.Fprintf(out.to, "    not here: %s\n", lacks)
	}
	for _, f := range k.Fields {
		_, _ = fmt.Fprintf(out.to, "      %-12s %s\n", f.Name, f.Doc)
	}
	return nil
}

// withoutInterrupt is for what must not be left half done.
func withoutInterrupt(cmd *cobra.Command) context.Context {
	return context.WithoutCancel(cmd.Context())
}

func healCommand(out *output) *cobra.Command {
	cmd := &cobra.Command{Use: "heal [FAULT-ID...]", Short: "Mend faults, all of them by default", ValidArgsFunction: onlyWords(activeFaults),
		Example: "  lbsim heal\n  lbsim heal f1 f3"}
	name := labFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, ids []string) error {
		client, _, err := open(*name)
		if err != nil {
			return err
		}
		healed, err := client.Heal(withoutInterrupt(cmd), ids...)
		if err != nil {
			return errors.Join(err, printFaults(out, "healed", healed))
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
