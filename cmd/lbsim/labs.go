package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/lab/supervisor"
)

func upCommand(out *output) *cobra.Command {
	var name, bin, dir string
	cmd := &cobra.Command{
		Use: "up NAME|FILE", Short: "Bring a lab up and leave it running", Args: args(cobra.ExactArgs(1)),
		ValidArgsFunction: orFiles(first(topologies)),
		Example:           "  lbsim up two-az\n  lbsim up my.yaml --name mine --set regions.bj.azs.az1.l7=1",
	}
	set := setFlag(cmd)
	cmd.Flags().StringVar(&name, "name", "", "name of the lab (default: what the topology says)")
	cmd.Flags().StringVar(&bin, "bin", "", "directory of the binaries (default: $UNILB_BIN, else lbsim's own)")
	cmd.Flags().StringVar(&dir, "dir", "", "directory for logs and ledger; kept after down (default: a temporary one)")
	cmd.RunE = func(cmd *cobra.Command, a []string) error {
		p, err := planOf(a[0], *set)
		if err != nil {
			return err
		}
		if name != "" {
			p.Lab = name
		}
		if bin, err = binDir(bin); err != nil {
			return err
		}
		if dir != "" {
			if dir, err = filepath.Abs(dir); err != nil {
				return fmt.Errorf("find --dir: %w", err)
			}
		}
		if err := lab.CheckGateways(p); err != nil {
			return fmt.Errorf("up %s: %w", p.Lab, err)
		}
		if err := lab.CheckBinaries(p, bin, lab.GatewayBinary); err != nil {
			return fmt.Errorf("up %s: %w", p.Lab, err)
		}
		start := time.Now()
		e, err := supervisor.Launch(cmd.Context(), supervisor.LaunchOptions{
			Plan: p, Topology: a[0], BinDir: bin, Dir: dir, Args: []string{"supervise"},
			Progress: func(s lab.Step) { progress(" ✓ %-9s %-60s %6s", s.Name, s.Text, s.Took.Round(time.Millisecond)) },
		})
		if err != nil {
			return fmt.Errorf("up %s: %w", p.Lab, err)
		}
		took := time.Since(start)
		if out.json {
			return out.object("up", map[string]any{"lab": e.Name, "took": took, "dir": e.Dir, "nodes": len(p.Nodes)})
		}
		_, err = fmt.Fprintf(out.to, "%s is up: %d nodes in %.1fs; logs in %s\n", e.Name, len(p.Nodes), took.Seconds(), filepath.Join(e.Dir, "logs"))
		return err
	}
	return cmd
}

// binDir is where the binaries under test are.
func binDir(flag string) (string, error) {
	if flag == "" {
		flag = os.Getenv("UNILB_BIN")
	}
	if flag == "" {
		self, err := os.Executable()
		if err != nil {
			return "", fmt.Errorf("find binaries: %w", err)
		}
		flag = filepath.Dir(self)
	}
	dir, err := filepath.Abs(flag)
	if err != nil {
		return "", fmt.Errorf("find binaries: %w", err)
	}
	return dir, nil
}

// labFlag is how a command that asks a running lab is told which.
func labFlag(cmd *cobra.Command) *string {
	name := cmd.Flags().StringP("lab", "l", "", "name of the lab (default: the only one that is up)")
	completeFlag(cmd, "lab", onlyWords(labNames))
	return name
}

func open(name string) (*supervisor.Client, supervisor.Entry, error) {
	e, err := supervisor.Find(name)
	if err != nil {
		return nil, e, err
	}
	return supervisor.Open(e), e, nil
}

func downCommand(out *output) *cobra.Command {
	var all bool
	cmd := &cobra.Command{Use: "down [LAB]", Short: "Take a lab down; safe to repeat", Args: args(cobra.MaximumNArgs(1)),
		ValidArgsFunction: onlyWords(first(labNames)),
		Example:           "  lbsim down\n  lbsim down two-az\n  lbsim down --all"}
	name := labFlag(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "take every lab down")
	cmd.RunE = func(cmd *cobra.Command, a []string) error {
		if len(a) == 1 {
			if *name != "" && *name != a[0] {
				return inputError(fmt.Errorf("which lab is meant, %q or --lab %q?", a[0], *name))
			}
			*name = a[0]
		}
		labs, err := toTakeDown(*name, all)
		if err != nil {
			return err
		}
		if len(labs) == 0 {
			progress("no such lab is up: nothing to do")
		}
		for _, e := range labs {
			start := time.Now()
			if err := supervisor.Open(e).Down(cmd.Context()); err != nil {
				return fmt.Errorf("down %s: %w", e.Name, err)
			}
			took := time.Since(start)
			if out.json {
				err = out.object("down", map[string]any{"lab": e.Name, "took": took})
			} else {
				_, err = fmt.Fprintf(out.to, "%s is down (%.1fs)\n", e.Name, took.Seconds())
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	return cmd
}

// toTakeDown returns the labs that are meant. That there is none is no error, for
// down may be repeated; that it is not clear which is meant is one. The lab of a run
// is meant only by its name: the run takes it down itself.
func toTakeDown(name string, all bool) ([]supervisor.Entry, error) {
	labs, err := supervisor.List()
	if err != nil || all {
		return labs, err
	}
	if name != "" {
		i := slices.IndexFunc(labs, func(e supervisor.Entry) bool { return e.Name == name })
		if i < 0 {
			return nil, nil
		}
		return labs[i : i+1], nil
	}
	var own []supervisor.Entry
	var names []string
	for _, e := range labs {
		if e.Job {
			progress("%s belongs to a run: interrupt that, or name it to take it down", e.Name)
			continue
		}
		own, names = append(own, e), append(names, e.Name)
	}
	if len(own) > 1 {
		return nil, inputError(fmt.Errorf("several labs are up, name one or use --all: %s", strings.Join(names, ", ")))
	}
	return own, nil
}

func listCommand(out *output) *cobra.Command {
	return &cobra.Command{Use: "list", Short: "List the labs that are up", Example: "  lbsim list\n  lbsim list --json", Args: args(cobra.NoArgs), RunE: func(*cobra.Command, []string) error {
		labs, err := supervisor.List()
		if err != nil {
			return err
		}
		for _, e := range labs {
			if out.json {
				err = out.object("lab", e)
			} else {
				_, err = fmt.Fprintf(out.to, "%-20s %-20s up for %s\n", e.Name, e.Topology, time.Since(e.Started).Round(time.Second))
			}
			if err != nil {
				return err
			}
		}
		if len(labs) == 0 {
			progress("no lab is up")
		}
		return nil
	}}
}

// superviseCommand is what up starts inside the sandbox.
func superviseCommand() *cobra.Command {
	return &cobra.Command{Use: "supervise", Hidden: true, Args: args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error {
		code, err := supervisor.Supervise(makeJob)
		if err == nil && code != codeGood {
			err = &exitError{code: code}
		}
		return err
	}}
}
