package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

const help = `Build networks of namespaces, break them, and judge the load balancers inside.

Usage: lbsim COMMAND [FLAGS]

Labs        up, down, list, status, exec, shell, capture, logs
Faults      inject, heal, faults
Incidents   run SCENARIO|FILE, rerun [RUN], judge [RUN], show [RUN], pack [RUN], runs
Gateways    conform, compare BASE HEAD, cases, report, flakes, driver check|template
Files       validate, plan, schema
Help        doctor, completion, version

Start here:
  lbsim doctor                       what this machine can and cannot do
  lbsim up hello && lbsim status     a lab in two seconds
  lbsim exec client/inet-1 -- curl -s http://10.101.4.3/
  lbsim run az-loss                  reproduce an incident, and judge what happened
  lbsim conform --gateway l7gw       judge a gateway

Every command takes --json: one object a line on stdout, with a "type". A flag that
is not given is read from its variable: --lab from LBSIM_LAB.
Exit: 0 good  1 wrong (a check failed, a regression)  2 undecided  3 bad input
      4 this machine cannot  5 lbsim itself failed  130 interrupted, cleaned up
`

// output is where results go: text for people, or objects.
type output struct {
	json bool
	to   io.Writer
}

// object prints one line of JSON with its type.
func (o *output) object(kind string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("print %s: %w", kind, err)
	}
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(b, &fields); err != nil {
		return fmt.Errorf("print %s: %w", kind, err)
	}
	name, err := json.Marshal(kind)
	if err != nil {
		return fmt.Errorf("print %s: %w", kind, err)
	}
	fields["type"] = name
	return json.NewEncoder(o.to).Encode(fields)
}

// progress prints a line for people who watch.
func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func newRoot() *cobra.Command {
	out := &output{to: os.Stdout}
	root := &cobra.Command{
		Use: "lbsim", Short: "Build networks of namespaces, break them, and judge the load balancers inside",
		SilenceErrors: true, SilenceUsage: true, SuggestionsMinimumDistance: 2,
		Args: func(cmd *cobra.Command, given []string) error { return unknownCommand(cmd, given) },
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	shown := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if cmd == root {
			_, _ = fmt.Fprint(out.to, help)
			return
		}
		shown(cmd, args)
	})
	root.SetUsageTemplate(withoutGlobal(root.UsageTemplate()) + envHelp)
	root.PersistentFlags().BoolVar(&out.json, "json", false, "print objects, one a line, instead of text")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return setFromEnv(cmd) }
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return inputError(err) })
	root.CompletionOptions.DisableDefaultCmd = true // completionCommand is ours
	root.AddCommand(
		upCommand(out), downCommand(out), listCommand(out), statusCommand(out), execCommand(out), shellCommand(out), captureCommand(out), logsCommand(out),
		injectCommand(out), healCommand(out), faultsCommand(out),
		runCommand(out), rerunCommand(out), judgeCommand(out), showCommand(out), packCommand(out), runsCommand(out),
		conformCommand(out), compareCommand(out), driverCommand(out), casesCommand(out), reportCommand(out), flakesCommand(out), validateCommand(out), planCommand(out),
		schemaCommand(out),
		doctorCommand(out), completionCommand(out), versionCommand(out), superviseCommand(), workCommand(), probeCommand(),
	)
	return root
}

// withoutGlobal takes the section of the one global flag, --json, out of a template
// of usage: the last line of every help is about it.
func withoutGlobal(template string) string {
	const begin, end = "{{if .HasAvailableInheritedFlags}}", "{{end}}"
	before, rest, ok := strings.Cut(template, begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return template
	}
	return before + after
}

func unknownCommand(cmd *cobra.Command, given []string) error {
	if len(given) == 0 {
		return nil
	}
	hint := "see: lbsim --help"
	if near := cmd.SuggestionsFor(given[0]); len(near) > 0 {
		hint = fmt.Sprintf("did you mean %q?", near[0])
	}
	return inputError(fmt.Errorf("unknown command %q (%s)", given[0], hint))
}

// args turns a violated argument rule into bad input.
func args(rule cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, given []string) error {
		if err := rule(cmd, given); err != nil {
			return inputError(fmt.Errorf("%w; see: lbsim %s --help", err, cmd.Name()))
		}
		return nil
	}
}
