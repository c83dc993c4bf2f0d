package labenv

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/conformance/cases"
	"github.com/unilb/unilb/conformance/report"
	"github.com/unilb/unilb/conformance/spec"
)

func TestNotesCarryResultsOutOfTheSandbox(t *testing.T) {
	dir := t.TempDir()
	selected := cases.All()[:3]
	n, err := openNotes(dir)
	if err != nil {
		t.Fatal(err)
	}
	n.place(report.Run{Topology: "two-az", Seed: 42, Up: 3 * time.Second}, report.Machine{CPUs: 2, Has: []spec.Capability{spec.NetNS}})
	for _, c := range selected[:2] {
		n.result(spec.Result{Case: c.ID, State: spec.Pass, Took: time.Second, Reason: &spec.Reason{Code: spec.After, Case: "X"}})
	}
	if err := errors.Join(n.err, n.Close()); err != nil {
		t.Fatal(err)
	}
	got := readNotes(dir, selected[:2])
	if len(got.cases) != 2 || len(got.problems) != 0 || got.Run.Topology != "two-az" || got.Run.Up != 3*time.Second || got.Machine.CPUs != 2 || got.cases[1].Reason.Case != "X" {
		t.Errorf("got %+v", got)
	}

	// The run died before the third case: it has a result all the same, and
	// the report cannot be a success.
	got = readNotes(dir, selected)
	if len(got.cases) != 3 || got.cases[2].State != spec.Broken || got.cases[2].Case != selected[2].ID || len(got.problems) != 1 {
		t.Errorf("a case without a result: %+v", got)
	}
}

func TestDamagedOrMissingNotesAreProblems(t *testing.T) {
	dir := t.TempDir()
	got := readNotes(dir, cases.All())
	if len(got.problems) == 0 || len(got.cases) != len(cases.All()) {
		t.Errorf("no notes at all: %d cases, problems %v", len(got.cases), got.problems)
	}
	if err := os.WriteFile(filepath.Join(dir, notesFile), []byte("{\"result\":{\"id\":\"X\",\"state\":\"pass\"}}\n{\"resu"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got = readNotes(dir, nil); len(got.cases) != 1 || len(got.problems) != 1 {
		t.Errorf("half a line: %+v", got)
	}
}

func TestBadInputIsSaidBeforeAnythingIsStarted(t *testing.T) {
	for name, c := range map[string]struct {
		o    Options
		want string
	}{
		"unknown gateway": {Options{Gateway: "l7wg"}, `no driver "l7wg"; there are apisix-3, haproxy, l7gw`},
		"unknown case":    {Options{Cases: []string{"ROUTE-EXCAT"}}, `"ROUTE-EXCAT" matches no case`},
		"missing file":    {Options{Gateway: "./none.yaml"}, "none.yaml"},
	} {
		c.o.Out = t.TempDir()
		code, err := Run(t.Context(), c.o)
		if code != ExitBadInput || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %d, %v, want %d with %q", name, code, err, ExitBadInput, c.want)
		}
	}
}

func TestVersionIsWhatThePatternFinds(t *testing.T) {
	for _, c := range []struct{ pattern, said, want string }{
		{`^\d+\.\d+\.\d+`, "3.18.0", "3.18.0"},
		{`version (\S+)`, "l7gw version v0.9.2", "v0.9.2"},
		{`^\d+`, "none", "unknown (said something else)"},
	} {
		if got := version(c.pattern, c.said); got != c.want {
			t.Errorf("%q in %q: got %q, want %q", c.pattern, c.said, got, c.want)
		}
	}
}
