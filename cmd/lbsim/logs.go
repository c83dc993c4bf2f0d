package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/unilb/unilb/sim/bundle"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/lab/supervisor"
	"github.com/unilb/unilb/sim/nodelog"
)

// logsOptions are the flags of logs.
type logsOptions struct {
	lab, runs, around string
	span              time.Duration
	tail              int
	follow            bool
}

func logsCommand(out *output) *cobra.Command {
	var o logsOptions
	cmd := &cobra.Command{
		Use: "logs [RUN] NODE[/PROCESS]", Short: "Print what processes wrote, in a running lab or in a run", Args: args(cobra.RangeArgs(1, 2)),
		Long:              "Print what processes wrote. Without RUN that is in a running lab, and without one that is\nup in the latest run. NODE may be a selector.",
		Example:           "  lbsim logs bj/az1/l7-1 -f\n  lbsim logs latest 'bj/*/l7-*' --around +6.83s",
		ValidArgsFunction: onlyWords(logOwners),
	}
	name, root := labFlag(cmd), runsFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&o.around, "around", "", "only lines around this time of the run, in order of time, e.g. +6.83s")
	f.DurationVar(&o.span, "span", 2*time.Second, "how much time around it, half of it before")
	f.IntVarP(&o.tail, "tail", "n", 0, "only so many lines of each process, the last ones")
	f.BoolVarP(&o.follow, "follow", "f", false, "go on printing what is written, until an interrupt")
	cmd.RunE = func(cmd *cobra.Command, a []string) error {
		o.lab, o.runs = *name, *root
		if err := o.check(len(a) == 2); err != nil {
			return err
		}
		from, err := o.source(cmd.Context(), a[:len(a)-1])
		if err != nil {
			return err
		}
		all, err := nodelog.All(from.dir)
		if err != nil {
			return inputError(err)
		}
		logs, err := nodelog.Select(all, a[len(a)-1])
		if err != nil {
			return inputError(err)
		}
		p := &logPrinter{out: out, zero: from.zero, named: len(logs) > 1}
		switch {
		case o.around != "":
			return o.printAround(p, logs)
		case o.follow:
			return o.printFollowing(cmd.Context(), p, logs)
		default:
			return o.printAll(p, logs)
		}
	}
	return cmd
}

func (o logsOptions) check(ofRun bool) error {
	switch {
	case ofRun && o.lab != "":
		return inputError(fmt.Errorf("a run or a running lab: choose RUN or --lab"))
	case ofRun && o.follow:
		return inputError(fmt.Errorf("nothing is written into a run any more; --follow is for running labs"))
	case o.follow && o.around != "":
		return inputError(fmt.Errorf("--follow goes on, --around looks back: choose one"))
	case o.tail < 0:
		return inputError(fmt.Errorf("--tail %d: want 0, which means all, or more", o.tail))
	case o.span <= 0:
		return inputError(fmt.Errorf("--span %s: want more than 0s", o.span))
	}
	return nil
}

// A logSource is a directory of logs and when its clock was zero.
type logSource struct {
	dir  string
	zero time.Time
}

// source finds the logs that are meant.
func (o logsOptions) source(ctx context.Context, run []string) (logSource, error) {
	if len(run) == 0 {
		e, err := supervisor.Find(o.lab)
		if err == nil {
			if o.lab == "" {
				progress("of the lab %s, which is up; name a run for its logs", e.Name)
			}
			return o.ofLab(ctx, e)
		}
		labs, lerr := supervisor.List()
		if o.lab != "" || lerr != nil || len(labs) > 0 || o.follow {
			return logSource{}, err
		}
	}
	b, err := findRun(o.runs, run)
	if err != nil {
		return logSource{}, err
	}
	if len(run) == 0 {
		progress("no lab is up; these are of the run %s", b.Name())
	}
	s := logSource{dir: b.Path(bundle.LogsDir)}
	if s.zero, err = history.StartOf(b.Dir); err == nil || o.around == "" {
		return s, nil
	}
	var r bundle.Run
	if rerr := b.ReadYAML(bundle.RunFile, &r); rerr != nil {
		return s, inputError(rerr)
	}
	progress("note: times are of the run's start and about right: %v", err)
	s.zero = r.Started
	return s, nil
}

// ofLab are the logs of a running lab. Its clock is asked only if it matters.
func (o logsOptions) ofLab(ctx context.Context, e supervisor.Entry) (logSource, error) {
	s := logSource{dir: filepath.Join(e.Dir, bundle.LogsDir)}
	if o.around == "" {
		return s, nil
	}
	st, err := supervisor.Open(e).Status(ctx)
	if err != nil {
		return s, err
	}
	s.zero = time.Now().Add(-st.Age)
	return s, nil
}
