package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/unilb/unilb/sim/bundle"
)

// runsShown is how many runs are listed when nobody says how many.
const runsShown = 20

func runsCommand(out *output) *cobra.Command {
	var most int
	cmd := &cobra.Command{
		Use: "runs", Short: "List the runs that are kept, the newest first", Args: args(cobra.NoArgs),
		Long:    "List the runs that are kept, the newest first. Delete one with its directory.",
		Example: "  lbsim runs\n  lbsim runs --json -n 1000",
	}
	root := runsFlag(cmd)
	cmd.Flags().IntVarP(&most, "most", "n", runsShown, "how many at most")
	cmd.RunE = func(*cobra.Command, []string) error {
		if most < 1 {
			return inputError(fmt.Errorf("--most %d: want 1 or more", most))
		}
		lines := listed(*root, most)
		if len(lines) == 0 {
			progress("no runs in %s; see: lbsim run --help", *root)
		}
		return printRuns(out, lines)
	}
	return cmd
}

// listed reads what there is to say of each run. A run whose files cannot be read
// is listed all the same.
func listed(root string, most int) []runObject {
	var out []runObject
	for _, name := range bundle.List(root, most) {
		b, err := bundle.Find(root, name)
		if err != nil {
			continue // removed meanwhile
		}
		o := runObject{ID: name, Dir: b.Dir}
		if err := b.ReadYAML(bundle.RunFile, &o.Run); err != nil {
			o.Run = bundle.Run{Ended: err.Error()}
		}
		var v bundle.Verdict
		if b.ReadYAML(bundle.VerdictFile, &v) == nil {
			o.Result = v.Result
		}
		out = append(out, o)
	}
	return out
}

func printRuns(out *output, lines []runObject) error {
	w := tabwriter.NewWriter(out.to, 0, 0, 2, ' ', 0)
	if !out.json && len(lines) > 0 {
		_, _ = fmt.Fprintln(w, "RUN\tSTARTED\tSEED\tTOOK\tRESULT")
	}
	for _, l := range lines {
		if out.json {
			if err := out.object("run", l); err != nil {
				return err
			}
			continue
		}
		result := string(l.Result)
		if result == "" {
			result = "no verdict"
		}
		if l.Ended != "" {
			result += ": " + l.Ended
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", l.ID, l.Started.Local().Format(time.DateTime), l.Seed, l.Took, result)
	}
	return w.Flush()
}
