package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/unilb/unilb/sim/bundle"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/timeline"
	"github.com/unilb/unilb/topology"
)

// showOptions are the flags of show.
type showOptions struct {
	op, around, node string
	span             time.Duration
}

func showCommand(out *output) *cobra.Command {
	var o showOptions
	cmd := &cobra.Command{
		Use: "show [RUN]", Short: "Show what happened in a run, or to one request of it", Args: args(cobra.MaximumNArgs(1)),
		Example:           "  lbsim show\n  lbsim show az-loss --around +6.83s --node 'bj/az2/**'\n  lbsim show --op shop-2202",
		ValidArgsFunction: onlyWords(first(runNames)),
	}
	root := runsFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&o.op, "op", "", "tell the story of one operation, by its id or the beginning of it")
	f.StringVar(&o.around, "around", "", "only what happened around this time of the run, e.g. +6.83s")
	f.DurationVar(&o.span, "span", 2*time.Second, "how much time around it, half of it before")
	f.StringVar(&o.node, "node", "", "only what concerns the selected nodes, or none at all")
	cmd.RunE = func(cmd *cobra.Command, a []string) error {
		if o.op == "" && cmd.Flags().Changed("op") {
			return inputError(errors.New("--op wants the id of an operation, or the beginning of it"))
		}
		b, err := findRun(*root, a)
		if err != nil {
			return err
		}
		h, err := history.Open(b.Dir)
		if err != nil {
			return inputError(fmt.Errorf("show %s: %w", b.Name(), err))
		}
		for _, edit := range h.Edited {
			progress("note: %s", edit)
		}
		if o.op != "" {
			return showOp(out, b, h, o.op)
		}
		moments, err := o.choose(timeline.Moments(h))
		if err != nil {
			return err
		}
		return showRun(out, b, h, moments, o.around != "")
	}
	return cmd
}

// choose applies the flags to the chronology.
func (o showOptions) choose(all []timeline.Moment) ([]timeline.Moment, error) {
	if o.around != "" {
		at, err := parseMoment(o.around)
		if err != nil {
			return nil, err
		}
		if o.span <= 0 {
			return nil, inputError(fmt.Errorf("--span %s: want more than 0s", o.span))
		}
		all = timeline.Within(all, at-o.span/2, at+o.span/2)
	}
	if o.node != "" {
		sel := topology.Selector(o.node)
		if err := sel.Check(); err != nil {
			return nil, inputError(err)
		}
		all = timeline.On(all, sel)
	}
	return all, nil
}

// parseMoment reads a time of a run as we print it: "+6.83s".
func parseMoment(text string) (time.Duration, error) {
	d, err := time.ParseDuration(strings.TrimPrefix(text, "+"))
	if err != nil || d < 0 {
		return 0, inputError(fmt.Errorf("--around %q: want a time since the start of the run, e.g. +6.83s", text))
	}
	return d, nil
}

// showOp prints the story of one operation.
func showOp(out *output, b *bundle.Bundle, h *history.History, id string) error {
	op, err := timeline.Find(h, id)
	if err != nil {
		return inputError(err)
	}
	var facts check.Facts
	if err := b.ReadJSON(bundle.FactsFile, &facts); err != nil {
		// Without facts the story is poorer, and still worth telling.
		progress("note: which gateways passed it on is not known: %v", err)
	}
	s := timeline.Tell(h, facts, op)
	if out.json {
		return out.object("operation", s)
	}
	return errors.Join(printStory(out.to, s), printMore(out.to, b, s))
}
