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

// A runLine is one run in a list.
type runLine struct {
	Run     string        `json:"run"` // what other commands take
	Started time.Time     `json:"started"`
	Seed    uint64        `json:"seed"`
	Took    string        `json:"took,omitempty"`
	Result  bundle.Result `json:"result,omitempty"` // empty: the run has no verdict
	Ended   string        `json:"ended,omitempty"`  // why it ended early
	Dir     string        `json:"dir"`
}

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
		lines := runLines(*root, most)
		if len(lines) == 0 {
			progress("no runs in %s; see: lbsim run --help", *root)
		}
		return printRuns(out, lines)
	}
	return cmd
}

// runLines reads what the list says of each run. A run whose files cannot be read
// is listed all the same.
func runLines(root string, most int) []runLine {
	var out []runLine
	for _, name := range bundle.List(root, most) {
		b, err := bundle.Find(root, name)
		if err != nil {
			continue // removed meanwhile
		}
		line := runLine{Run: name, Dir: b.Dir}
		var r bundle.Run
		if err := b.ReadYAML(bundle.RunFile, &r); err != nil {
			line.Ended = err.Error()
		} else {
			line.Started, line.Seed, line.Took, line.Ended = r.Started, r.Seed, r.Took, r.Ended
		}
		var v bundle.Verdict
		if b.ReadYAML(bundle.VerdictFile, &v) == nil {
			line.Result = v.Result
		}
		out = append(out, line)
	}
	return out
}

func printRuns(out *output, lines []runLine) error {
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
		_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", l.Run, l.Started.Local().Format(time.DateTime), l.Seed, l.Took, result)
	}
	return w.Flush()
}
