package main

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/unilb/unilb/tools/bench/figure"
	"github.com/unilb/unilb/tools/bench/stage"
)

var update = flag.Bool("update", false, "write the goldens")

func f(v float64) *float64 { return &v }

// sample is a document with every verdict, made up.
func sample() Document {
	day := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	aa := ratioOf(1, 0.97, 1.03)
	each := map[string]Figures{
		"l7gw": {CPU: 12, RPS: 66000, P50: 0.7, P99: 4, Waited: 0.1}, nginxName: {CPU: 17, RPS: 52000, P50: 1, P99: 5}, haproxyName: {CPU: 20, RPS: 45000, P50: 1.2, P99: 4},
	}
	row := func(load string, v Verdict) Result {
		return Result{
			Load: load, Gateway: "l7gw", About: "made up", CPUVsNginx: f(0.71), CPUVsHAProxy: f(0.6), RPSVsNginx: f(1.27), Low: f(0.68), High: f(0.75), Minima: f(0.7),
			Target: "cpu_vs_nginx <= 0.80, cpu_vs_haproxy <= 0.70", Verdict: v, AA: &aa, Noise: Noise{0.1, 0.05, 0.3, 1.5}, Rounds: 11, Each: each, Commit: "0123456789abcdef", Date: day,
		}
	}
	d := Document{Machine: stage.Machine{Kernel: "Linux 6.1", CPU: "A CPU", CPUs: 2, MemMiB: 4096}, Go: "go1.26", Versions: map[string]string{"nginx": "1.22", "haproxy": "2.6", "wrk": "4.1", "h2load": "1.52"}}
	undecided := row("h1-16k", Undecided)
	undecided.Why = "nginx against itself gave 0.90 to 1.20"
	before := row("h1-16k", Undecided)
	before.Date = day.Add(-24 * time.Hour)
	undecided.Earlier = []Result{before}
	missed := row("h1-1m", Missed)
	missed.CPUVsNginx, missed.High, missed.Dirty = f(11), f(12), true
	notYet := row("h2-16x8", NotYet)
	notYet.CPUVsNginx, notYet.CPUVsHAProxy, notYet.RPSVsNginx, notYet.Low, notYet.High, notYet.Minima = nil, nil, nil, nil, nil, nil
	notYet.Why, notYet.Each = "it knows no <TLS>", map[string]Figures{nginxName: each[nginxName], haproxyName: each[haproxyName]}
	memory := row("idle-8000", Met)
	memory.Target, memory.MemoryVsNginx, memory.CPUVsNginx, memory.CPUVsHAProxy, memory.RPSVsNginx = "memory_vs_nginx <= 1.00", f(0.64), nil, nil, nil
	memory.Each = map[string]Figures{"l7gw": {Bytes: 290}, nginxName: {Bytes: 454}, haproxyName: {Bytes: 1067}}
	quota := row("h1-quota40", Met)
	quota.Target = "rps_vs_nginx >= 1.25, cpu_vs_haproxy <= 1.00"
	d.Rows = []Result{row("h1-128b", Met), undecided, missed, quota, notYet, memory}
	d.Config = sampleConfig(d.Machine, day)
	return d
}

func sampleConfig(m stage.Machine, day time.Time) *figure.Document {
	d := &figure.Document{Machine: m, Go: "go1.26"}
	r := figure.Row{Name: "in-force-p50", About: "made up", Unit: "ms", More: map[string]float64{"put_p50_ms": 2}, Commit: "0123456789abcdef", Date: day}
	r.Judge(figure.AtMost(5), []figure.Turn{{Value: 3}, {Value: 4}, {Value: 3}, {Value: 4}, {Value: 3}})
	before := r
	before.Dirty = true
	r.Earlier = []figure.Row{before}
	reported := figure.Row{Name: "in-force-p99", About: "the same", Unit: "ms", Date: day}
	reported.Judge(figure.Target{}, []figure.Turn{{Value: 9}})
	d.Rows = []figure.Row{r, reported}
	return d
}

func TestPageAndPlotsAreThoseOfTheDocument(t *testing.T) {
	files, err := sample().pages("docs/bench", "docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"docs/performance.md", "docs/bench/engine-cpu.svg", "docs/bench/engine-throughput.svg"} {
		golden := filepath.Join("testdata", filepath.Base(name))
		if *update {
			if err := os.WriteFile(golden, files[name], 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || string(files[name]) != string(want) {
			t.Errorf("%s differs from %s (go test -update writes it): %v", name, golden, err)
		}
	}
	if len(files) != 3 {
		t.Errorf("%d files, want 3", len(files))
	}
}

// A plot must be XML whose drawing lies within its frame, whatever the figures are.
func TestPlotsAreWellFormed(t *testing.T) {
	for name, p := range map[string]plot{"cpu": sample().cpuPlot(), "throughput": sample().throughputPlot(), "nothing": {title: "a < b & c"}} {
		d := xml.NewDecoder(strings.NewReader(p.svg()))
		texts := 0
		for {
			tok, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if e, ok := tok.(xml.StartElement); ok && e.Name.Local == "text" {
				texts++
			}
		}
		if texts < 3+2*len(p.bars) {
			t.Errorf("%s: %d texts for %d bars", name, texts, len(p.bars))
		}
	}
}

func TestBarsHaveLengthAndColourOfTheirFigures(t *testing.T) {
	long := bar{label: "a", value: 20, verdict: Missed, bound: 0.8}
	p := plot{bars: []bar{{label: "b", value: 2, low: 1.5, high: 2.5, verdict: Met}, long, {label: "c", note: "not yet"}}}
	text := p.svg()
	for _, want := range []string{
		`width="140.0" height="14" fill="#2e8b57"`, // 2 of 8, of 560
		`width="560.0" height="14" fill="#c8553d"`, // cut at the edge
		`20.00 →`, `not yet`,
		`x1="315.0" y1="71.0" x2="385.0"`, // 1.5 to 2.5
		`x1="266.0" y1="87.0" x2="266.0"`, // the bound
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

func TestBoundIsReadFromTheTarget(t *testing.T) {
	r := Result{Target: targetText([]Target{atLeast(rpsVsNginx, 1.25), atMost(cpuVsHAProxy, 1)})}
	if r.judged() != rpsVsNginx || r.bound(rpsVsNginx) != 1.25 || r.bound(cpuVsHAProxy) != 1 || r.bound(cpuVsNginx) != 0 {
		t.Errorf("%q: judged %s, bounds %g %g %g", r.Target, r.judged(), r.bound(rpsVsNginx), r.bound(cpuVsHAProxy), r.bound(cpuVsNginx))
	}
}

func TestMergeKeepsOtherRowsAndEarlierRuns(t *testing.T) {
	old := sample()
	now := Document{Machine: old.Machine}
	again := old.Rows[1] // undecided, with one run before
	again.Earlier, again.Date = nil, again.Date.Add(time.Hour)
	better := old.Rows[0]
	better.Verdict = Missed
	now.Rows = []Result{again, better}
	if err := now.merge(old); err != nil {
		t.Fatal(err)
	}
	var loads []string
	for _, r := range now.Rows {
		loads = append(loads, r.Load)
	}
	if want := []string{"h1-128b", "h1-16k", "h1-1m", "h1-quota40", "h2-16x8", "idle-8000"}; !reflect.DeepEqual(loads, want) {
		t.Errorf("rows %q, want %q", loads, want)
	}
	if e := now.Rows[1].Earlier; len(e) != 2 || !e[0].Date.Equal(old.Rows[1].Date) || len(e[0].Earlier) > 0 {
		t.Errorf("the undecided row has %d earlier runs: %+v", len(e), e)
	}
	if e := now.Rows[0].Earlier; now.Rows[0].Verdict != Missed || len(e) != 1 || e[0].Verdict != old.Rows[0].Verdict {
		t.Errorf("a row that was decided, and otherwise than now, has the earlier runs %+v, want the one that decided it", e)
	}
	other := old
	other.Machine.CPU = "another"
	if err := now.merge(other); err == nil {
		t.Error("rows of another machine were taken")
	}
}

func TestReportIsCheckedAgainstTheDocument(t *testing.T) {
	dir := t.TempDir()
	doc, page := filepath.Join(dir, "engine.json"), filepath.Join(dir, "performance.md")
	config := filepath.Join(dir, "config.json")
	args := []string{"-from", doc, "-to", page, "-config", config}
	if code := report(append(args, "-check")); code != codeGood {
		t.Errorf("nothing was published: code %d", code)
	}
	if err := sample().write(doc, false); err != nil {
		t.Fatal(err)
	}
	if code := report(append(args, "-check")); code != codeStale {
		t.Errorf("no page: code %d, want %d", code, codeStale)
	}
	if code := report(args); code != codeGood {
		t.Fatalf("code %d", code)
	}
	if code := report(append(args, "-check")); code != codeGood {
		t.Errorf("just made: code %d", code)
	}
	if err := os.WriteFile(page, []byte("better figures"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code := report(append(args, "-check")); code != codeStale {
		t.Errorf("changed by hand: code %d, want %d", code, codeStale)
	}
}

// A result is judged by the slices that it is made of.
func TestResultOfSlices(t *testing.T) {
	row := rows[0].filled()
	m := measurement{slices: map[string][]Slice{}, lacks: map[string]string{}, wrong: map[string]string{}, why: map[string]string{}}
	for range leastRounds {
		for name, cpu := range map[string]float64{nginxName: 20, controlName: 20.2, haproxyName: 24, "l7gw": 14, "other": 80} {
			m.slices[name] = append(m.slices[name], slicesOf([]float64{cpu}, 0.1)...)
		}
	}
	r := m.result(row, "l7gw")
	if r.Verdict != Met || !near(*r.CPUVsNginx, 0.7) || !near(*r.RPSVsNginx, 1.42857) || !near(r.AA.Median, 1.01) || r.Each["l7gw"].CPU != 14 || len(r.Each) != 4 {
		t.Errorf("got %+v", r)
	}
	if other := m.result(row, "other"); other.Verdict != Missed || !near(*other.CPUVsNginx, 4) {
		t.Errorf("the other form: %+v", other)
	}
	delete(m.slices, "l7gw")
	m.lacks["l7gw"] = "it knows no TLS"
	if r := m.result(row, "l7gw"); r.Verdict != NotYet || r.CPUVsNginx != nil || r.Why == "" || r.Rounds != leastRounds || r.Noise.Foreign == 0 {
		t.Errorf("what it cannot do: %+v", r)
	}
	delete(m.lacks, "l7gw")
	m.wrong["l7gw"] = "another body"
	if r := m.result(row, "l7gw"); r.Verdict != Missed {
		t.Errorf("a wrong answer: %+v", r)
	}
}

// A busy machine voids everybody's slices: that says nothing of the gateway, and the
// noise of void slices still counts.
func TestVoidSlicesTellTheGatewayFromTheMachine(t *testing.T) {
	row := rows[0].filled()
	m := measurement{slices: map[string][]Slice{}}
	for range leastRounds {
		for _, name := range []string{nginxName, controlName, haproxyName, "l7gw"} {
			s := slicesOf([]float64{20}, 0.9)[0]
			s.Void = true
			m.slices[name] = append(m.slices[name], s)
		}
	}
	if r := m.result(row, "l7gw"); r.Verdict != Undecided || r.Voided != 0 || r.Noise.Most != 0.9 || r.Noise.Foreign != 0.9 {
		t.Errorf("all void: got %+v", r)
	}
	for i := range m.slices[nginxName] {
		for _, name := range []string{nginxName, controlName, haproxyName} {
			m.slices[name][i].Void, m.slices[name][i].Foreign = false, 0
		}
		m.slices["l7gw"][i].Foreign = 0
	}
	if r := m.result(row, "l7gw"); r.Verdict != Missed || r.Voided != leastRounds {
		t.Errorf("only ours void: got %+v", r)
	}
}

func TestTemplatesOfConfigurationsFill(t *testing.T) {
	for _, name := range []string{"nginx.conf.tmpl", "haproxy.cfg.tmpl"} {
		for _, facts := range []facts{
			{Name: "x", Workers: 1, Listen: "127.0.0.1:1"},
			{Name: "x", Workers: 2, Listen: "127.0.0.1:1", ListenTLS: "127.0.0.1:2", Log: true},
		} {
			var b strings.Builder
			err := template.Must(template.ParseFS(templates, "templates/"+name)).Execute(&b, facts)
			if err != nil || strings.Contains(b.String(), "<no value>") {
				t.Errorf("%s: %v\n%s", name, err, b.String())
			}
			if got := strings.Contains(b.String(), "127.0.0.1:2"); got != (facts.ListenTLS != "") {
				t.Errorf("%s: listens for TLS: %v", name, got)
			}
		}
	}
}
