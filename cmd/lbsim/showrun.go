package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/unilb/unilb/sim/bundle"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/timeline"
)

// momentsShown is how many lines of the chronology are printed. JSON has all.
const momentsShown = 200

// showRun prints a run: what it was, what happened, how requests ended, and what
// was made of it. A part of the chronology is printed alone.
func showRun(out *output, b *bundle.Bundle, h *history.History, moments []timeline.Moment, part bool) error {
	if part {
		return printMoments(out, moments)
	}
	var r bundle.Run
	if err := b.ReadYAML(bundle.RunFile, &r); err != nil {
		return inputError(err)
	}
	var v bundle.Verdict
	verr := b.ReadYAML(bundle.VerdictFile, &v)
	if verr != nil && !errors.Is(verr, fs.ErrNotExist) {
		return inputError(verr)
	}
	if err := printHead(out, b, r, v.Result, h); err != nil {
		return err
	}
	if err := printMoments(out, moments); err != nil {
		return err
	}
	if err := printTallies(out, timeline.Tallies(h)); err != nil {
		return err
	}
	if verr != nil {
		if _, err := os.Stat(b.Path(bundle.ScenarioFile)); err == nil { // a run of cases is judged by lbsim conform
			progress("the run has no verdict; see: lbsim judge %s", b.Name())
		}
		return nil
	}
	return printJudged(out, b, v, nil)
}

func printHead(out *output, b *bundle.Bundle, r bundle.Run, result bundle.Result, h *history.History) error {
	if out.json {
		return errors.Join(printRun(out, b, r, result), out.object("history", struct {
			Zero     time.Time `json:"zero"` // of the run's clock
			Ops      int       `json:"ops"`
			Arrivals int       `json:"arrivals"`
			Lost     int       `json:"lost"` // records that did not fit
		}{h.Start, len(h.Ops), len(h.Arrivals), h.Lost}))
	}
	const digits = 12
	ended := "to its end"
	if r.Ended != "" {
		ended = "ended early: " + r.Ended
	}
	gateway := gateways(r)
	commit := r.Commit
	if commit == "" {
		commit = "not known"
	}
	w := tabwriter.NewWriter(out.to, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "run\t%s\n", b.Dir)
	_, _ = fmt.Fprintf(w, "scenario\t%s  seed %d\n", r.Scenario, r.Seed)
	_, _ = fmt.Fprintf(w, "topology\t%s  plan %.*s\n", r.Topology, digits, r.Digests.Plan)
	_, _ = fmt.Fprintf(w, "gateway\t%s\n", gateway)
	_, _ = fmt.Fprintf(w, "commit\t%s\n", commit)
	machine := fmt.Sprintf("%s, %d CPUs", r.Machine.Kernel, r.Machine.CPUs)
	if r.Machine.Stolen > 0 { // else none, or nobody looked
		machine += fmt.Sprintf(", %.1f %% of their time stolen", 100*r.Machine.Stolen)
	}
	_, _ = fmt.Fprintf(w, "machine\t%s\n", machine)
	_, _ = fmt.Fprintf(w, "started\t%s, %s %s\n", r.Started.Local().Format(time.DateTime), r.Took, ended)
	if h.Lost > 0 {
		_, _ = fmt.Fprintf(w, "lost\t%d records did not fit\n", h.Lost)
	}
	if st, err := os.Stat(b.Path(bundle.WiresFile)); err == nil {
		_, _ = fmt.Fprintf(w, "frames\t%s  %.1f MiB\n", b.Path(bundle.WiresFile), float64(st.Size())/(1<<20))
	}
	_, _ = fmt.Fprintln(w)
	return w.Flush()
}

func printMoments(out *output, moments []timeline.Moment) error {
	if out.json {
		for _, m := range moments {
			if err := out.object("moment", m); err != nil {
				return err
			}
		}
		return nil
	}
	for _, m := range moments[:min(len(moments), momentsShown)] {
		if _, err := fmt.Fprintln(out.to, momentText(m)); err != nil {
			return err
		}
	}
	if more := len(moments) - momentsShown; more > 0 {
		progress("... %d more; --around and --node choose, --json has all", more)
	}
	return nil
}

// momentText is one line of the chronology.
func momentText(m timeline.Moment) string {
	text := m.Text
	if m.Node != "" {
		text = string(m.Node) + "  " + text
	}
	return fmt.Sprintf("%10s  %-8s %s", "+"+seconds(m.At), m.Kind, text)
}

// seconds prints times of one run so that they stand below each other.
func seconds(d time.Duration) string { return fmt.Sprintf("%.3fs", d.Seconds()) }

func printTallies(out *output, tallies []timeline.Tally) error {
	if !out.json {
		_, _ = fmt.Fprintln(out.to)
	}
	for _, t := range tallies {
		if out.json {
			if err := out.object("stream", t); err != nil {
				return err
			}
			continue
		}
		var classes []string
		for _, c := range slices.Sorted(maps.Keys(t.Classes)) {
			classes = append(classes, fmt.Sprintf("%s %d", c, t.Classes[c]))
		}
		text := fmt.Sprintf("%d ok, %d failed, %d unknown", t.OK, t.Fail, t.Info)
		if len(classes) > 0 {
			text += ": " + strings.Join(classes, ", ")
		}
		if _, err := fmt.Fprintf(out.to, "stream %-12s %s\n", t.Stream, text); err != nil {
			return err
		}
	}
	return nil
}
