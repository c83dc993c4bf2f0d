package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/conformance/driver"
	"github.com/unilb/unilb/conformance/labenv"
	"github.com/unilb/unilb/conformance/spec"
)

const unixTerm = unix.SIGTERM

// A description is what a driver would do.
type description struct {
	File      string         `json:"file"`
	Name      string         `json:"name"`
	Program   string         `json:"program"` // empty: not on this machine
	Version   string         `json:"version"`
	Untried   string         `json:"untried,omitempty"`
	Dialect   string         `json:"dialect"`
	Topology  string         `json:"topology,omitempty"`
	Starts    []string       `json:"starts"`
	Ready     string         `json:"ready"`
	Reload    string         `json:"reload"`
	Drain     string         `json:"drain"`
	InForce   string         `json:"inForce"`
	Writes    []string       `json:"writes"`
	Claims    []spec.Feature `json:"claims"`
	Unclaimed []spec.Feature `json:"unclaimed"`
	Cannot    []string       `json:"cannot"` // express
}

func describe(ctx context.Context, m *driver.Manifest, program, bin string) description {
	d := description{
		Name: m.Name, Program: program, Untried: m.Untried, Dialect: driver.DialectAPISIX, Topology: m.Topology, Claims: m.Claims, Unclaimed: m.Lacks(),
		Writes: []string{}, Cannot: []string{}, Reload: "none", InForce: "asked by URL",
	}
	v := driver.Sample()
	v.Bin, v.Binary = bin, program
	p, err := m.Render(v)
	if err != nil {
		return d // a good manifest renders
	}
	if program != "" {
		if d.Version, err = labenv.Version(ctx, m, program, bin); err != nil {
			d.Version = "unknown: " + err.Error()
		}
	}
	d.Starts = p.Argv
	switch {
	case p.Notify:
		d.Ready = "by sd_notify"
	case p.Dial != "":
		d.Ready = "when " + p.Dial + " takes connections"
	default:
		d.Ready = "when " + p.Probe + " answers 200"
	}
	d.Ready += fmt.Sprintf(", within %v", p.Within)
	d.Drain = fmt.Sprintf("SIG%s, within %v", p.DrainSignal, p.DrainWithin)
	if p.ReloadSignal != "" {
		d.Reload = "SIG" + p.ReloadSignal
	} else if len(p.ReloadArgv) > 0 {
		d.Reload = strings.Join(p.ReloadArgv, " ")
	}
	if m.Applied.Probe != nil {
		d.InForce = fmt.Sprintf("after %d answers of a marker in a row over %v", m.Consecutive(), m.Over())
	}
	d.Writes = append(d.Writes, slices.Sorted(maps.Keys(p.Files))...)
	if m.Static() {
		d.addStatic(m)
	}
	return d
}

// addStatic adds what only a driver with templates has.
func (d *description) addStatic(m *driver.Manifest) {
	d.Dialect = driver.DialectStatic
	for _, f := range m.Config {
		text := f.File + ", not checked"
		if len(f.Check.Exec) > 0 {
			text = f.File + ", checked by the gateway"
		}
		d.Writes = append(d.Writes, text)
	}
	answers, err := m.Expresses()
	if err != nil {
		d.Cannot = append(d.Cannot, err.Error())
	}
	for _, a := range answers {
		if a.Err != nil {
			d.Cannot = append(d.Cannot, a.What+": "+a.Err.Error())
		}
	}
}

func (d description) print(to io.Writer) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	row := func(key, value string) {
		if value != "" {
			_, _ = fmt.Fprintf(w, "%s\t%s\n", key, value) // Flush tells
		}
	}
	row(d.File, "ok")
	row("gateway", strings.TrimSpace(d.Name+" "+d.Version))
	if d.Program == "" {
		row("program", "not on this machine")
	}
	row("program", d.Program)
	row("untried", d.Untried)
	row("dialect", d.Dialect)
	row("topology", d.Topology)
	row("starts", strings.Join(d.Starts, " "))
	row("ready", d.Ready)
	row("reload", d.Reload)
	row("drain", d.Drain)
	row("in force", d.InForce)
	row("writes", strings.Join(d.Writes, "; "))
	row("claims", fmt.Sprintf("%d features", len(d.Claims)))
	row("unclaimed", joined(d.Unclaimed))
	for i, c := range d.Cannot {
		row(map[bool]string{true: "cannot"}[i == 0]+" ", c)
	}
	return w.Flush()
}

func joined(fs []spec.Feature) string {
	var out []string
	for _, f := range fs {
		out = append(out, string(f))
	}
	return strings.Join(out, " ")
}

// printTrial prints one step; that it cannot be written shows when the result is.
func printTrial(out *output, s labenv.TrialStep) {
	if out.json {
		_ = out.object("trial", s)
		return
	}
	mark := "✓"
	if !s.OK {
		mark = "✗"
	}
	_, _ = fmt.Fprintf(out.to, " %s %-9s %8s  %s\n", mark, s.Name, s.Took.Round(time.Millisecond), s.Says)
}

// trialDir is a directory for the logs of a trial; done removes it.
func trialDir() (dir string, done func() error, err error) {
	dir, err = os.MkdirTemp("", "lbsim-driver-")
	return dir, func() error { return os.RemoveAll(dir) }, err
}
