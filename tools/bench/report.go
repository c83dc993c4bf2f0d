package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/unilb/unilb/tools/bench/figure"
)

// report makes the page and its plots from the document; it returns the exit code.
func report(args []string) int {
	f := flag.NewFlagSet("bench report", flag.ContinueOnError)
	from := f.String("from", "docs/bench/engine.json", "the document")
	config := f.String("config", "docs/bench/config.json", "the document of the configuration plane, which has a section of the page")
	to := f.String("to", "docs/performance.md", "the page; its plots are put into the folder of the document")
	check := f.Bool("check", false, "write nothing; end with 1 when a file is not what the document gives")
	if err := f.Parse(args); err != nil {
		return codeInput
	}
	d, err := readDocument(*from)
	if *check && errors.Is(err, os.ErrNotExist) {
		return codeGood // nothing was published
	}
	var files map[string][]byte
	if err == nil {
		if d.Config, err = readConfig(*config); err == nil {
			files, err = d.pages(filepath.Dir(*from), *to)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return codeBroken
	}
	code := codeGood
	for path, text := range files {
		if *check {
			if have, err := os.ReadFile(path); err != nil || !bytes.Equal(have, text) {
				fmt.Fprintf(os.Stderr, "bench: %s is not what %s gives: run bench report\n", path, *from)
				code = codeStale
			}
			continue
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			return codeBroken
		}
	}
	return code
}

// readConfig reads the document of the configuration plane; nil: there is none.
func readConfig(path string) (*figure.Document, error) {
	d, err := figure.Read(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return &d, err
}

// pages are the files that the document gives.
func (d Document) pages(folder, page string) (map[string][]byte, error) {
	t, err := template.New("performance.md.tmpl").Funcs(template.FuncMap{
		"times": times, "figure": number, "short": figure.Short, "each": func(fs ...Figures) []Figures { return fs }, "plot": func(name string) (string, error) {
			return filepath.Rel(filepath.Dir(page), filepath.Join(folder, name))
		},
	}).ParseFS(templates, "templates/performance.md.tmpl")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, d); err != nil {
		return nil, fmt.Errorf("make the page: %w", err)
	}
	return map[string][]byte{
		page:                                    b.Bytes(),
		filepath.Join(folder, "engine-cpu.svg"): []byte(d.cpuPlot().svg()),
		filepath.Join(folder, "engine-throughput.svg"): []byte(d.throughputPlot().svg()),
	}, nil
}

// label of a row in tables and plots.
func (d Document) label(r Result) string {
	for _, other := range d.Rows {
		if other.Gateway != r.Gateway {
			return r.Load + " " + r.Gateway
		}
	}
	return r.Load // one gateway: its name says nothing
}

func (d Document) cpuPlot() plot {
	p := plot{title: "CPU time of a request, nginx = 1", axis: "times nginx; less is better", besideName: "HAProxy"}
	for _, r := range d.Rows {
		if r.MemoryVsNginx != nil || r.isMemory() {
			continue
		}
		b := bar{label: d.label(r), verdict: r.Verdict, note: "not yet"}
		if r.CPUVsNginx != nil {
			b.value = *r.CPUVsNginx
			if r.judged() == cpuVsNginx && r.Low != nil && r.High != nil {
				b.low, b.high = *r.Low, *r.High
			}
		} else if r.Verdict != NotYet {
			b.note = "not measured"
		}
		if h, n := r.Each[haproxyName].CPU, r.Each[nginxName].CPU; h > 0 && n > 0 {
			b.beside, b.besideIsMeasure = h/n, true
		}
		b.bound = r.bound(cpuVsNginx)
		p.bars = append(p.bars, b)
	}
	return p
}

func (d Document) throughputPlot() plot {
	p := plot{title: "Answered requests a second, nginx = 1", axis: "times nginx; more is better (beyond the load's core it is a lower bound)", besideName: "HAProxy"}
	for _, r := range d.Rows {
		if r.isMemory() || r.RPSVsNginx == nil || strings.HasPrefix(r.Load, "h1-open") {
			continue
		}
		b := bar{label: d.label(r), value: *r.RPSVsNginx, verdict: Undecided, bound: r.bound(rpsVsNginx)}
		if b.bound > 0 {
			b.verdict = r.Verdict
		}
		if r.judged() == rpsVsNginx && r.Low != nil && r.High != nil {
			b.low, b.high = *r.Low, *r.High
		}
		if h, n := r.Each[haproxyName].RPS, r.Each[nginxName].RPS; h > 0 && n > 0 {
			b.beside, b.besideIsMeasure = h/n, true
		}
		p.bars = append(p.bars, b)
	}
	return p
}

func (r Result) isMemory() bool { return r.judged() == memoryVsNginx }

// judged is the ratio that comes first in the target.
func (r Result) judged() string {
	name, _, _ := strings.Cut(r.Target, " ")
	return name
}

// bound is the row's bound of a ratio; 0: it has none.
func (r Result) bound(ratio string) float64 {
	for part := range strings.SplitSeq(r.Target, ", ") {
		var name, relation string
		var v float64
		if _, err := fmt.Sscan(part, &name, &relation, &v); err == nil && name == ratio {
			return v
		}
	}
	return 0
}

// What the page's template asks of a document.

// CPU are the rows that compare CPU time.
func (d Document) CPU() []Result { return d.only(false) }

// Memory are the rows that compare memory.
func (d Document) Memory() []Result { return d.only(true) }

func (d Document) only(memory bool) (out []Result) {
	for _, r := range d.Rows {
		if r.isMemory() == memory {
			out = append(out, r)
		}
	}
	return out
}

// Label is the name of a row.
func (d Document) Label(r Result) string { return d.label(r) }

// Count is how many rows have a verdict.
func (d Document) Count(v Verdict) int {
	n := 0
	for _, r := range d.Rows {
		if r.Verdict == v {
			n++
		}
	}
	return n
}

// Runs are a row's last run and those before.
func (r Result) Runs() []Result { return append([]Result{r}, r.Earlier...) }

// Ours are the figures of our gateway.
func (r Result) Ours() Figures { return r.Each[r.Gateway] }

// Nginx are the figures of nginx.
func (r Result) Nginx() Figures { return r.Each[nginxName] }

// HAProxy are the figures of HAProxy.
func (r Result) HAProxy() Figures { return r.Each[haproxyName] }

// Bound is the target in short.
func (r Result) Bound() string {
	return strings.NewReplacer("cpu_vs_nginx", "nginx", "cpu_vs_haproxy", "HAProxy", "rps_vs_nginx", "throughput", "memory_vs_nginx", "nginx").Replace(r.Target)
}

// ShortCommit is enough of the commit to find it.
func (r Result) ShortCommit() string {
	const enough = 10
	id := r.Commit[:min(len(r.Commit), enough)]
	if r.Dirty {
		id += "+"
	}
	return id
}
