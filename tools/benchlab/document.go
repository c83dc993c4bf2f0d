package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/unilb/unilb/sim/lab/doctor"
)

// A Document is the result of a run, as it is kept in docs/bench.
type Document struct {
	Commit  string    `json:"commit"` // of the folder in which the run was started; "" outside a repository
	Dirty   bool      `json:"dirty"`  // it had changes that are in no commit, other than to results
	Date    time.Time `json:"date"`
	Go      string    `json:"go"`
	Machine Machine   `json:"machine"`
	Load    float64   `json:"load_before"`
	Noise   Noise     `json:"noise"` // of the whole run
	Rows    []Row     `json:"rows"`
	Failed  []Failure `json:"failed,omitempty"`
}

// A Machine is what figures depend on.
type Machine struct {
	Kernel string `json:"kernel"`
	CPU    string `json:"cpu"`
	CPUs   int    `json:"cpus"`
	MemMiB int    `json:"mem_mib"`
}

// A Failure is a measurement that could not be made.
type Failure struct {
	Name  string `json:"name"`
	Error string `json:"error"`
}

// newDocument says what is measured, and where, before it is.
func newDocument(ctx context.Context) (Document, error) {
	d := Document{Date: time.Now().UTC().Truncate(time.Second), Go: runtime.Version(), Rows: []Row{}}
	d.Machine = Machine{Kernel: doctor.Kernel(), CPUs: runtime.NumCPU()}
	var err error
	if d.Load, err = readLoad(); err != nil {
		return d, err
	}
	cpu, errCPU := os.ReadFile("/proc/cpuinfo")
	mem, errMem := os.ReadFile("/proc/meminfo")
	if errCPU != nil || errMem != nil {
		return d, fmt.Errorf("read the machine: %w, %w", errCPU, errMem)
	}
	d.Machine.CPU = field(string(cpu), "model name")
	if _, err := fmt.Sscanf(field(string(mem), "MemTotal"), "%d kB", &d.Machine.MemMiB); err != nil {
		return d, fmt.Errorf("read the machine's memory: %w", err)
	}
	d.Machine.MemMiB /= 1024
	d.Commit, d.Dirty = commit(ctx)
	return d, nil
}

// commit is the commit that is measured. Results of measurements do not make it
// dirty: they are what a run writes.
func commit(ctx context.Context) (id string, dirty bool) {
	head, err := exec.CommandContext(ctx, "git", "rev-parse", "HEAD").Output()
	if err != nil {
		return "", true
	}
	changes, err := exec.CommandContext(ctx, "git", "status", "--porcelain", "--", ":/", ":(exclude,top)docs/bench/*.json").Output()
	return strings.TrimSpace(string(head)), err != nil || len(changes) > 0
}

// field is the value of the first line "key : value" of a file of /proc.
func field(text, key string) string {
	for line := range strings.Lines(text) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func (d Document) missed() int {
	n := 0
	for _, r := range d.Rows {
		if r.missed() {
			n++
		}
	}
	return n
}

// write prints the document, or puts it into a file.
func (d Document) write(path string) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false) // limits are read by people
	err := e.Encode(d)
	if err == nil && path == "" {
		_, err = os.Stdout.Write(b.Bytes())
	}
	if err == nil && path != "" {
		err = os.WriteFile(path, b.Bytes(), 0o644)
	}
	if err != nil {
		return fmt.Errorf("write the document: %w", err)
	}
	return nil
}

// print is the document for people.
func (d Document) print(to io.Writer) {
	id := d.Commit
	if id == "" {
		id = "no commit"
	}
	if d.Dirty {
		id += " with changes"
	}
	fmt.Fprintf(to, "\n%s, %s, %s, %d x %s, %d MiB\n", id, d.Go, d.Machine.Kernel, d.Machine.CPUs, d.Machine.CPU, d.Machine.MemMiB)
	t := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "figure\tmedian\tmin\tmax\tunit\truns\tlimit\t\tothers\tstolen\t")
	for _, r := range d.Rows {
		fmt.Fprintln(t, r.cells())
	}
	_ = t.Flush() // to people; the document is what counts
	for _, r := range d.Rows {
		if r.Detail != "" {
			fmt.Fprintf(to, "%s: %s\n", r.Name, r.Detail)
		}
	}
	for _, f := range d.Failed {
		fmt.Fprintf(to, "%s: not measured: %s\n", f.Name, f.Error)
	}
	quiet := "quiet"
	if !d.Noise.Quiet {
		quiet = "not quiet: limits are for a quiet machine"
	}
	fmt.Fprintf(to, "the machine was %s (others used %.2f cores, %.1f %% was stolen, load %.1f before and %.1f after); %d limits missed\n",
		quiet, d.Noise.Others, d.Noise.Stolen*100, d.Load, d.Noise.Load, d.missed())
}

func (r Row) cells() string {
	figures, limit, verdict := "-\t-\t-", "", ""
	if r.Spread != nil {
		figures = fmt.Sprintf("%.4g\t%.4g\t%.4g", r.Median, r.Min, r.Max)
	}
	if r.Limit != nil {
		limit, verdict = r.Limit.String(), "not measured"
	}
	switch {
	case r.missed():
		verdict = "MISSED"
	case r.OK != nil:
		verdict = "kept"
	}
	return fmt.Sprintf("%s\t%s\t%s\t%d\t%s\t%s\t%.2f\t%.1f %%\t", r.Name, figures, r.Unit, r.N, limit, verdict, r.Noise.Others, r.Noise.Stolen*100)
}
