package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unilb/unilb/conformance/driver"
	"github.com/unilb/unilb/conformance/labenv"
	"github.com/unilb/unilb/sim/sandbox"
)

func driverCommand(out *output) *cobra.Command {
	cmd := &cobra.Command{
		Use: "driver", Short: "Check the manifest of a gateway, or print one to start from",
		Example:                    "  lbsim driver template > my.yaml\n  lbsim driver check my.yaml --try",
		SuggestionsMinimumDistance: 2,
		Args:                       func(cmd *cobra.Command, given []string) error { return unknownCommand(cmd, given) },
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(driverCheckCommand(out), driverTemplateCommand(out))
	return cmd
}

func driverTemplateCommand(out *output) *cobra.Command {
	return &cobra.Command{
		Use: "template", Short: "Print a manifest to start from, with a comment on each key", Args: args(cobra.NoArgs),
		Example: "  lbsim driver template > my.yaml",
		RunE: func(*cobra.Command, []string) error {
			if out.json {
				return out.object("template", map[string]string{"text": driver.Template})
			}
			_, err := fmt.Fprint(out.to, driver.Template)
			return err
		},
	}
}

// checkOptions are the flags of driver check.
type checkOptions struct {
	binary, bin, topology string
	try, files            bool
}

func driverCheckCommand(out *output) *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use: "check NAME|FILE", Short: "Say what is wrong with a driver and what it would start; --try starts it",
		Args: args(cobra.ExactArgs(1)), ValidArgsFunction: orFiles(first(driverNames)),
		Example: "  lbsim driver check my.yaml --files\n  lbsim driver check nginx --try",
	}
	f := cmd.Flags()
	f.BoolVar(&o.try, "try", false, "start the gateway in a lab, route through it, reload it, drain it")
	f.BoolVar(&o.files, "files", false, "print the configuration files for one route to one target")
	f.StringVar(&o.binary, "gateway-binary", "", "this program in the place of the manifest's")
	f.StringVar(&o.topology, "topology", "", "where to try it (default: hello)")
	f.StringVar(&o.bin, "bin", "", "directory of the binaries (default: $UNILB_BIN, else lbsim's own)")
	completeFlag(cmd, "topology", onlyWords(topologies))
	cmd.RunE = func(cmd *cobra.Command, a []string) error {
		var err error
		if o.bin, err = binDir(o.bin); err != nil {
			return err
		}
		if o.try && sandbox.Inside() { // the same call, in the sandbox that it made
			return tryDriver(cmd.Context(), out, a[0], o)
		}
		return checkDriver(cmd.Context(), out, a[0], o)
	}
	return cmd
}

// checkDriver says everything that can be said without starting the gateway, then
// tries it in a sandbox if that was asked for.
func checkDriver(ctx context.Context, out *output, name string, o checkOptions) error {
	m, program, err := labenv.DriverFile(name, o.binary, o.bin)
	if m == nil {
		n, perr := printProblems(out, name, err)
		if perr != nil {
			return perr
		}
		if !out.json && n > 1 {
			_, _ = fmt.Fprintln(out.to, counted(n, "problem"))
		}
		return &exitError{code: codeInput}
	}
	d := describe(ctx, m, program, o.bin)
	d.File = name
	if out.json {
		if err := out.object("driver", d); err != nil {
			return err
		}
	} else if err := d.print(out.to); err != nil {
		return err
	}
	if o.files {
		if err := printSample(out, m); err != nil {
			return err
		}
	}
	if err != nil || !o.try {
		return err // of a program that is not installed
	}
	box, err := sandbox.Start(sandbox.Options{})
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = box.Signal(unixTerm) }) // it may have ended by itself
	defer stop()
	code, err := box.Wait()
	if err != nil || code == codeGood {
		return err
	}
	return &exitError{code: code}
}

// printSample prints what the driver's templates make of one route.
func printSample(out *output, m *driver.Manifest) error {
	if !m.Static() {
		return nil
	}
	files, err := m.SampleFiles()
	if err != nil {
		return inputError(err)
	}
	for _, f := range files.Files {
		if out.json {
			err = out.object("file", map[string]string{"path": f.Path, "text": f.Text})
		} else {
			_, err = fmt.Fprintf(out.to, "-- %s --\n%s\n", f.Path, strings.TrimRight(f.Text, "\n"))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tryDriver runs inside the sandbox. A step that fails is the gateway's, or its
// manifest's.
func tryDriver(ctx context.Context, out *output, name string, o checkOptions) error {
	dir, done, err := trialDir()
	if err != nil {
		return err
	}
	failed := false
	err = labenv.Try(ctx, labenv.TrialOptions{
		Gateway: name, Binary: o.binary, BinDir: o.bin, Topology: o.topology, Dir: dir,
		OnStep: func(s labenv.TrialStep) {
			failed = failed || !s.OK
			printTrial(out, s)
		},
	})
	if err == nil {
		return done()
	}
	var none *driver.NotInstalled
	switch {
	case !failed || errors.As(err, &none) || ctx.Err() != nil:
		return errors.Join(err, done())
	default: // said already
		progress("logs of the gateway: %s", dir)
		return &exitError{code: codeWrong}
	}
}
