package labenv

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unilb/unilb/conformance/report"
	"github.com/unilb/unilb/conformance/spec"
)

func TestBadInputIsSaidBeforeAnythingIsStarted(t *testing.T) {
	bin := t.TempDir() // with all that a small lab needs
	for _, name := range []string{"unilb-etcd", "l7admin", "l7gw"} {
		if err := os.WriteFile(filepath.Join(bin, name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		o    Options
		want string
	}{
		"unknown gateway": {Options{Gateway: "l7wg"}, `no driver "l7wg" (did you mean "l7gw"?); there are apisix-3, haproxy, l7gw`},
		"unknown case":    {Options{Cases: []string{"ROUTE-EXCAT"}}, `"ROUTE-EXCAT" matches no case`},
		"unknown profile": {Options{Profiles: []string{"L7-ROUTNIG"}}, `unknown profile "L7-ROUTNIG" (did you mean "L7-ROUTING"?)`},
		"nothing left":    {Options{Profiles: []string{"ADMIN-APISIX"}, Cases: []string{"ROUTE-*"}}, "no case is left"},
		"no such repeat":  {Options{Repeat: -1}, "repeat -1 times"},
		"no such program": {Options{Binary: "/nonexist"}, "program of gateway l7gw"},
		"not a program":   {Options{Binary: "run.go"}, "run.go cannot be executed"},
		"missing file":    {Options{Gateway: "./none.yaml"}, "none.yaml"},
		"no such ledger":  {Options{Ledger: "/nonexist/flakes"}, "/nonexist/flakes"},
		"out is a file":   {Options{BinDir: bin, Topology: "hello", Out: "run.go"}, "run.go"},
	} {
		if c.o.Out == "" {
			c.o.Out = t.TempDir()
		}
		code, err := Run(t.Context(), c.o)
		if code != ExitBadInput || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %d, %v, want %d with %q", name, code, err, ExitBadInput, c.want)
		}
	}
}

func TestMistakeInTheHeadCostsNoEarlierReport(t *testing.T) {
	bin, out := t.TempDir(), t.TempDir()
	for _, name := range []string{"unilb-etcd", "l7admin", "l7gw"} {
		if err := os.WriteFile(filepath.Join(bin, name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	earlier := filepath.Join(out, "base", report.YAMLFile)
	if err := os.MkdirAll(filepath.Dir(earlier), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(earlier, []byte("of yesterday"), 0o644); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(t.TempDir(), "head.yaml")
	if err := os.WriteFile(foreign, []byte("driver: v1\nnaem: other\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for head, want := range map[string]string{"run.go": "run.go cannot be executed", foreign: "naem"} {
		o := CompareOptions{Options: Options{BinDir: bin, Topology: "hello", Out: out}, Base: filepath.Join(bin, "l7gw"), Head: head}
		_, code, err := Compare(t.Context(), o)
		if code != ExitBadInput || err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "head: ") {
			t.Errorf("head %s: got %d, %v, want %d with %q", head, code, err, ExitBadInput, want)
		}
		if _, err := os.Stat(earlier); err != nil {
			t.Errorf("head %s: the base's last report is lost: %v", head, err)
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

func TestNothingIsRemovedThatNoRunHasLeft(t *testing.T) {
	dir := t.TempDir()
	source := filepath.Join(dir, "lab", "lab.go")
	if err := os.MkdirAll(filepath.Dir(source), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(source, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := cleanOut(dir); err == nil || !strings.Contains(err.Error(), "--out") {
		t.Errorf("somebody's directory: got %v, want an error with a remedy", err)
	}
	if _, err := os.Stat(source); err != nil {
		t.Errorf("it is gone: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, seenFile), nil, 0o644); err != nil { // now a run has been here
		t.Fatal(err)
	}
	if err := cleanOut(dir); err != nil {
		t.Error(err)
	}
	if holds(dir, "lab", seenFile) {
		t.Error("what an earlier run left is still there")
	}
}

func TestInterruptedRunSaysHowFarItCame(t *testing.T) {
	some := []spec.Case{{ID: "A-ONE"}, {ID: "A-TWO"}, {ID: "A-THREE"}}
	once := &judgement{selected: some, judged: []spec.Result{{Case: "A-ONE"}}}
	if got, want := once.interrupted(), "interrupted: 2 of 3 cases did not run"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	often := &judgement{o: Options{Repeat: 20}, selected: some, judged: []spec.Result{{Case: "A-ONE"}, {Case: "A-TWO"}, {Case: "A-THREE"}, {Case: "A-ONE"}}}
	if got, want := often.interrupted(), "interrupted: 0 of 3 cases did not run, and 56 of 60 times that cases were to run"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
