package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/unilb/unilb/conformance/compare"
	"github.com/unilb/unilb/conformance/flake"
	"github.com/unilb/unilb/conformance/report"
	"github.com/unilb/unilb/scenarios/incidents"
	"github.com/unilb/unilb/sim/scenario"
	"github.com/unilb/unilb/topology"
)

// load reads a topology: a name of the library, or a file.
func load(nameOrFile string, set []string) (*topology.Spec, error) {
	if !topology.IsFile(nameOrFile) || slices.Contains(topology.LibraryNames(), nameOrFile) {
		return topology.LoadLibrary(nameOrFile, set...)
	}
	src, err := os.ReadFile(nameOrFile)
	if err != nil {
		return nil, err
	}
	return topology.Parse(nameOrFile, src, set...)
}

// planOf reads a topology and decides everything that follows from it.
func planOf(nameOrFile string, set []string) (*topology.Plan, error) {
	s, err := load(nameOrFile, set)
	if err != nil {
		return nil, err
	}
	return s.Plan()
}

func setFlag(cmd *cobra.Command) *[]string {
	return cmd.Flags().StringArray("set", nil, "override one value of the topology, e.g. regions.bj.azs.az1.l7=1")
}

func validateCommand(out *output) *cobra.Command {
	cmd := &cobra.Command{Use: "validate NAME|FILE...", Short: "Say everything that is wrong with topologies and scenarios", Args: args(cobra.MinimumNArgs(1)),
		ValidArgsFunction: orFiles(validatable),
		Example:           "  lbsim validate two-az my.yaml\n  lbsim validate scenarios/incidents/*.yaml"}
	set := setFlag(cmd)
	cmd.RunE = func(_ *cobra.Command, files []string) error {
		count := 0
		for _, f := range files {
			err := validate(f, *set)
			if err == nil {
				if !out.json {
					_, _ = fmt.Fprintf(out.to, "%s: ok\n", f)
				} else if err := out.object("valid", map[string]string{"file": f}); err != nil {
					return err
				}
				continue
			}
			n, err := printProblems(out, f, err)
			if err != nil {
				return err
			}
			count += n
		}
		if count == 0 {
			return nil
		}
		if !out.json {
			_, _ = fmt.Fprintln(out.to, counted(count, "problem"))
		}
		return &exitError{code: codeInput}
	}
	return cmd
}

// validate reads a scenario, or a topology: a file says by its first key which it
// is, a name is one of the testbed's own.
func validate(nameOrFile string, set []string) error {
	isScenario := slices.Contains(incidents.Names(), nameOrFile)
	if topology.IsFile(nameOrFile) {
		text, err := os.ReadFile(nameOrFile)
		if err != nil {
			return err
		}
		isScenario = scenario.IsScenario(text)
	}
	if !isScenario {
		_, err := planOf(nameOrFile, set)
		return err
	}
	_, _, err := read(nameOrFile, set, 0)
	return err
}

// printProblems prints what is wrong with one file, one line each, and counts it.
func printProblems(out *output, file string, err error) (int, error) {
	var errs topology.Errors
	if !errors.As(err, &errs) {
		msg := err.Error()
		var at *fs.PathError
		if errors.As(err, &at) && at.Path == file { // which the line begins with
			msg = at.Err.Error()
		}
		errs = topology.Errors{{File: file, Msg: msg}}
	}
	for _, e := range errs {
		if !out.json {
			_, _ = fmt.Fprintln(out.to, e.Error())
			continue
		}
		problem := map[string]any{"file": e.File, "line": e.Line, "column": e.Col, "message": e.Msg}
		if err := out.object("problem", problem); err != nil {
			return 0, err
		}
	}
	return len(errs), nil
}

func planCommand(out *output) *cobra.Command {
	cmd := &cobra.Command{Use: "plan NAME|FILE", Short: "Show what a topology becomes: nodes, addresses, processes", Args: args(cobra.ExactArgs(1)),
		ValidArgsFunction: orFiles(first(topologies)),
		Example:           "  lbsim plan two-az\n  lbsim plan my.yaml --set regions.bj.azs.az1.l7=3 --json"}
	set := setFlag(cmd)
	cmd.RunE = func(_ *cobra.Command, a []string) error {
		p, err := planOf(a[0], *set)
		if err != nil {
			return err
		}
		if out.json {
			return out.object("plan", p)
		}
		_, err = fmt.Fprint(out.to, p.Summary())
		return err
	}
	return cmd
}

// schemas are the JSON schemas that there are, by what a file holds.
var schemas = map[string]func() []byte{
	"topology": topology.Schema, "scenario": incidents.Schema, "report": report.Schema, "quarantine": flake.QuarantineSchema, "allow": compare.AllowSchema,
}

func schemaCommand(out *output) *cobra.Command {
	cmd := &cobra.Command{
		Use: "schema [KIND]", Short: "Print the JSON schema of topologies, scenarios, reports and other files",
		Args: args(cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs)), ValidArgs: slices.Sorted(maps.Keys(schemas)),
		Example: "  lbsim schema scenario > scenario.schema.json",
	}
	cmd.RunE = func(_ *cobra.Command, a []string) error {
		what := "topology"
		if len(a) == 1 {
			what = a[0]
		}
		if out.json {
			return out.object("schema", map[string]any{"file": what, "schema": json.RawMessage(schemas[what]())})
		}
		_, err := out.to.Write(schemas[what]())
		return err
	}
	return cmd
}
