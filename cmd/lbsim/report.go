package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/unilb/unilb/conformance/report"
)

// maxReports is how many gateways one grid shows.
const maxReports = 20

func reportCommand(out *output) *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use: "report REPORT|DIR...", Short: "Make one page of the reports of several gateways, feature by feature", Args: args(cobra.RangeArgs(1, maxReports)),
		Long:    "Make one page of the reports of several gateways, feature by feature and case by case. A report is\na report.yaml, or the directory in which conform wrote one.",
		Example: "  lbsim report out/conformance-all/*\n  lbsim report conformance/reports/*/*/report.yaml --out grid.html",
	}
	cmd.Flags().StringVar(&to, "out", "grid.html", "file of the page")
	cmd.RunE = func(_ *cobra.Command, paths []string) error {
		var reports []*report.Report
		for _, path := range paths {
			r, err := report.ReadFile(path)
			if err != nil {
				return inputError(err)
			}
			reports = append(reports, r)
		}
		var page bytes.Buffer
		if err := report.Grid(&page, reports); err != nil {
			return err
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, page.Bytes(), 0o644)); err != nil {
			return inputError(err)
		}
		for _, r := range reports {
			if err := printGateway(out, r); err != nil {
				return err
			}
		}
		if out.json {
			return out.object("grid", map[string]any{"file": to, "gateways": len(reports)})
		}
		_, err := fmt.Fprintln(out.to, to)
		return err
	}
	return cmd
}

// printGateway prints one line about a report.
func printGateway(out *output, r *report.Report) error {
	if out.json {
		return out.object("gateway", map[string]any{
			"gateway": r.Gateway.Name, "version": r.Gateway.Version, "binary": r.Gateway.Binary, "verdict": r.Verdict, "result": r.Result,
			"passed": r.Counts.Passed, "failed": r.Counts.Failed, "skipped": r.Counts.Skipped,
		})
	}
	_, err := fmt.Fprintf(out.to, "%-9s %-8s %-20s %4d passed  %3d failed  %3d skipped\n",
		r.Verdict, r.Result, r.Gateway.Name+" "+r.Gateway.Version, r.Counts.Passed, r.Counts.Failed, r.Counts.Skipped)
	return err
}
