package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/unilb/unilb/conformance/cases"
	"github.com/unilb/unilb/conformance/flake"
)

func flakesCommand(out *output) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "flakes [LEDGER]...", Short: "Say how reliable the conformance cases have been",
		Long:    "Say how often cases ended otherwise than most of their runs against the same binary, by the ledgers\nthat conform writes. Ends with 2 when that is more often than the suite's budget allows.",
		Example: "  lbsim flakes\n  lbsim flakes --all out/*/flakes.ndjson",
	}
	cmd.Flags().BoolVar(&all, "all", false, "also the cases that always ended the same")
	cmd.RunE = func(_ *cobra.Command, paths []string) error {
		if len(paths) == 0 {
			paths = []string{filepath.Join("out", "conformance", flake.LedgerFile)}
		}
		records, err := readLedgers(paths)
		if err != nil {
			return inputError(err)
		}
		var known []string
		for _, c := range cases.All() {
			known = append(known, c.ID)
		}
		q, err := flake.Ours(known, time.Now())
		if err != nil {
			return inputError(err)
		}
		if err := printRates(out, flake.Rates(records), q.Budget, all); err != nil {
			return err
		}
		problems := q.Problems(records)
		for _, p := range problems {
			progress("%s", p)
		}
		if len(problems) > 0 {
			return &exitError{code: codeUndecided}
		}
		return nil
	}
	return cmd
}

func readLedgers(paths []string) ([]flake.Record, error) {
	var out []flake.Record
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		records, err := flake.Read(path, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		out = append(out, records...)
	}
	return out, nil
}

func printRates(out *output, rates []flake.Rate, b flake.Budget, all bool) error {
	steady := 0
	for _, r := range rates {
		if r.Flakes == 0 && !all {
			steady++
			continue
		}
		if out.json {
			if err := out.object("flake", r); err != nil {
				return err
			}
			continue
		}
		last := "never"
		if !r.Last.IsZero() {
			last = r.Last.Format(time.DateOnly)
		}
		if _, err := fmt.Fprintf(out.to, "%-30s %4d of %5d runs  %6.2f %%  on %d builds, last %s\n", r.Case, r.Flakes, r.Runs, 100*r.Rate(), r.Builds, last); err != nil {
			return err
		}
	}
	t := flake.Total(rates)
	if out.json {
		return out.object("flakes", map[string]any{"runs": t.Runs, "flakes": t.Flakes, "rate": t.Rate(), "budget": b.Rate, "steady": len(rates) - flaky(rates)})
	}
	if steady > 0 {
		if _, err := fmt.Fprintf(out.to, "%s always ended the same\n", counted(steady, "case")); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out.to, "%d flakes in %d runs of cases: %.2f %%, the budget is %.2f %%\n", t.Flakes, t.Runs, 100*t.Rate(), 100*b.Rate)
	return err
}

func flaky(rates []flake.Rate) int {
	n := 0
	for _, r := range rates {
		if r.Flakes > 0 {
			n++
		}
	}
	return n
}
