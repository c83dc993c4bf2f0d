package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/topology"
)

func statusCommand(out *output) *cobra.Command {
	cmd := &cobra.Command{Use: "status [SELECTOR]", Short: "Show nodes, processes, VIPs and faults of a lab", Args: args(cobra.MaximumNArgs(1)),
		ValidArgsFunction: onlyWords(first(nodeRefs)),
		Example:           "  lbsim status\n  lbsim status 'bj/az1/**'"}
	name := labFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, a []string) error {
		client, _, err := open(*name)
		if err != nil {
			return err
		}
		st, err := client.Status(cmd.Context())
		if err != nil {
			return err
		}
		if len(a) == 1 {
			sel := topology.Selector(a[0])
			if err := sel.Check(); err != nil {
				return inputError(err)
			}
			st.Nodes = slices.DeleteFunc(st.Nodes, func(n lab.NodeStatus) bool { return !sel.Match(n.Ref) })
		}
		if out.json {
			return out.object("status", st)
		}
		return printStatus(out.to, st)
	}
	return cmd
}

func printStatus(to io.Writer, st lab.Status) error {
	if !st.Up {
		_, err := fmt.Fprintf(to, "lab %s is coming up\n", st.Lab)
		return err
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "lab %s, up for %s\n\n", st.Lab, st.Age.Round(time.Second))
	_, _ = fmt.Fprintln(w, "NODE\tADDRESS\tPROCESSES")
	for _, n := range st.Nodes {
		address := "-"
		if n.Address.IsValid() {
			address = n.Address.String()
		}
		if n.Host != "" {
			address += " on " + string(n.Host)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", n.Ref, address, strings.Join(runs(n), "  "))
	}
	if len(st.VIPs) > 0 {
		_, _ = fmt.Fprintln(w, "\nVIP\tADDRESS\tPATH")
		for _, v := range st.VIPs {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", v.Name, v.Address, v.Path)
		}
	}
	for _, g := range st.Spread {
		_, _ = fmt.Fprintf(w, "\nSPREAD BY %s\tLEG\t\n", g.Node)
		for _, leg := range g.Legs {
			state := "in"
			if !leg.In {
				state = "out: " + leg.Why
			}
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", leg.To, leg.Via, state)
		}
	}
	if len(st.Faults) > 0 {
		_, _ = fmt.Fprintln(w, "\nFAULT\tSINCE\t")
		for _, f := range st.Faults {
			_, _ = fmt.Fprintf(w, "%s\t+%s\t%s\n", f.ID, f.Since.Round(time.Millisecond), f.Text)
		}
	}
	return w.Flush()
}

func runs(n lab.NodeStatus) []string {
	var out []string
	if !n.Power {
		out = append(out, "NO POWER")
	}
	for _, p := range n.Processes {
		switch p.State {
		case "ready":
			out = append(out, fmt.Sprintf("%s (%.0fMiB %.1fs)", p.Name, float64(p.RSS)/(1<<20), p.CPU.Seconds()))
		case "ended":
			out = append(out, fmt.Sprintf("%s ENDED: %s", p.Name, p.Exit))
		default:
			out = append(out, p.Name+" "+strings.ToUpper(p.State))
		}
	}
	for _, port := range n.Echo {
		out = append(out, fmt.Sprintf("echo:%d (%d requests)", port, n.Requests))
	}
	return out
}
