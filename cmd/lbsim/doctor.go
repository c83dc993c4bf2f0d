package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/unilb/unilb/sim/lab/doctor"
	"github.com/unilb/unilb/sim/sandbox"
)

func doctorCommand(out *output) *cobra.Command {
	return &cobra.Command{Use: "doctor", Short: "Say what this machine can and cannot do", Example: "  lbsim doctor", Args: args(cobra.NoArgs), RunE: func(*cobra.Command, []string) error {
		inside, err := probeInside()
		if err != nil {
			return err
		}
		findings := append(doctor.Outside(), inside...)
		lacks := 0
		if !out.json {
			_, _ = fmt.Fprintf(out.to, "%s, %d CPUs\n", doctor.Kernel(), runtime.NumCPU())
		}
		for _, f := range findings {
			if f.Needed && !f.OK {
				lacks++
			}
			if out.json {
				err = out.object("finding", f)
			} else {
				err = printFinding(out, f)
			}
			if err != nil {
				return err
			}
		}
		if lacks > 0 {
			return &exitError{code: codeMachine}
		}
		return nil
	}}
}

func printFinding(out *output, f doctor.Finding) error {
	if f.OK {
		_, err := fmt.Fprintf(out.to, "%-18s ok       %s\n", f.Name, f.Means)
		return err
	}
	_, err := fmt.Fprintf(out.to, "%-18s missing  -> %s (%s)\n", f.Name, f.Means, f.Why)
	return err
}

// probeInside asks this program, in a sandbox, what works there.
func probeInside() ([]doctor.Finding, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make pipe: %w", err)
	}
	defer r.Close()
	box, err := sandbox.Start(sandbox.Options{Args: []string{"probe"}, Stdout: w})
	w.Close()
	var none *sandbox.Unavailable
	if errors.As(err, &none) {
		return doctor.NoSandbox(none.Err), nil
	}
	if err != nil {
		return nil, err
	}
	var findings []doctor.Finding
	derr := json.NewDecoder(r).Decode(&findings)
	if _, err := box.Wait(); err != nil {
		return nil, err
	}
	if derr != nil {
		return doctor.NoSandbox(fmt.Errorf("the sandbox did not answer: %w", derr)), nil
	}
	return findings, nil
}

// probeCommand is what doctor starts inside a sandbox.
func probeCommand() *cobra.Command {
	return &cobra.Command{Use: "probe", Hidden: true, Args: args(cobra.NoArgs), RunE: func(*cobra.Command, []string) error {
		return json.NewEncoder(os.Stdout).Encode(doctor.Inside())
	}}
}

func versionCommand(out *output) *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version", Example: "  lbsim version --json", Args: args(cobra.NoArgs), RunE: func(*cobra.Command, []string) error {
		version, commit := build()
		if out.json {
			return out.object("version", map[string]string{"version": version, "commit": commit, "go": runtime.Version()})
		}
		_, err := fmt.Fprintf(out.to, "lbsim %s %s %s\n", version, commit, runtime.Version())
		return err
	}}
}

// commitHere is what the linker was told, by "make build".
var commitHere string

// build is the version and the commit of this program, as far as it was told or Go
// noted them.
func build() (version, commit string) {
	version, commit = "unknown", commitHere
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && commit == "" {
				commit = s.Value
			}
		}
	}
	return version, commit
}
