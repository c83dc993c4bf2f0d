package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"text/tabwriter"

	"github.com/unilb/unilb/tools/bench/figure"
	"github.com/unilb/unilb/tools/bench/stage"
)

// A Document is the result of runs on one machine, as it is kept in docs/bench.
type Document struct {
	Machine  stage.Machine     `json:"machine"`
	Go       string            `json:"go"`
	Versions map[string]string `json:"versions"` // of what ours is compared with, and of the loads
	Rows     []Result          `json:"rows"`

	Config *figure.Document `json:"-"` // of the configuration plane, for the page; nil: none
}

// maxEarlier is how many runs a row has beside the last.
const maxEarlier = 2

func newDocument(ctx context.Context) (Document, error) {
	d := Document{Go: runtime.Version(), Versions: map[string]string{}, Rows: []Result{}}
	var err error
	if d.Machine, err = stage.ReadMachine(); err != nil {
		return d, err
	}
	for tool, arg := range map[string]string{"nginx": "-v", "haproxy": "-v", "wrk": "-v", "h2load": "--version"} {
		out, _ := exec.CommandContext(ctx, tool, arg).CombinedOutput() // wrk tells its version and fails
		d.Versions[tool] = version.FindString(string(out))
	}
	return d, nil
}

var version = regexp.MustCompile(`\d+\.\d+[^\s,\]]*`)

// merge puts the rows of an older document of the same machine below those of this
// one: rows that were not measured again stay, and the runs before stay beside the last,
// whatever they said.
func (d *Document) merge(old Document) error {
	if old.Machine != d.Machine {
		return fmt.Errorf("the document was made on another machine: %+v, this is %+v", old.Machine, d.Machine)
	}
	fresh := map[string]*Result{}
	for i := range d.Rows {
		fresh[d.Rows[i].Load+" "+d.Rows[i].Gateway] = &d.Rows[i]
	}
	var kept []Result
	for _, was := range old.Rows {
		now := fresh[was.Load+" "+was.Gateway]
		if now == nil {
			kept = append(kept, was)
			continue
		}
		earlier := was.Earlier
		was.Earlier = nil
		if was.Verdict != NotYet && now.Verdict != NotYet {
			earlier = append([]Result{was}, earlier...)
			now.Earlier = earlier[:min(len(earlier), maxEarlier)]
		}
	}
	d.Rows = inOrder(append(d.Rows, kept...))
	return nil
}

// inOrder puts results in the order of the rows.
func inOrder(all []Result) []Result {
	var out []Result
	for _, r := range rows {
		for _, x := range all {
			if x.Load == r.Load {
				out = append(out, x)
			}
		}
	}
	return out // rows that are no more are gone
}

func readDocument(path string) (Document, error) {
	var d Document
	b, err := os.ReadFile(path)
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(b, &d); err != nil {
		return d, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

// write prints the document, or puts it into a file. With merge an older one in the
// file is merged.
func (d Document) write(path string, merge bool) error {
	if path != "" && merge {
		old, err := readDocument(path)
		if err == nil {
			err = d.merge(old)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false) // targets are read by people
	if err := e.Encode(d); err != nil {
		return fmt.Errorf("write the document: %w", err)
	}
	if path == "" {
		_, err := os.Stdout.Write(b.Bytes())
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// print is the rows for people.
func (d Document) print(to io.Writer) {
	t := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "load\tgateway\tCPU us\tnginx\thaproxy\tvs nginx\tlow-high\tminima\tvs haproxy\tthroughput\tA/A\tforeign\tstolen\tvoid\tverdict")
	for _, r := range d.Rows {
		fmt.Fprintln(t, r.cells())
	}
	_ = t.Flush() // to people; the document is what counts
	for _, r := range d.Rows {
		if r.Why != "" && r.Why != quickWhy {
			fmt.Fprintf(to, "%s %s: %s\n", r.Load, r.Gateway, r.Why)
		}
	}
}
