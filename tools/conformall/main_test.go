package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/unilb/unilb/conformance/report"
)

func TestEveryDriverIsJudgedOrLeftOutWithAReason(t *testing.T) {
	manifest := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	manifests := fstest.MapFS{
		"good.yaml": manifest("name: good"), "red.yaml": manifest("name: red"), "gone.yaml": manifest("name: gone"),
		"new.yaml": manifest("untried: no package of it here"), "stale.yaml": manifest("name: stale"), "x.tmpl": manifest("{{.}}"),
	}
	a := all{out: t.TempDir()}
	write := func(name, verdict string, started time.Time) {
		r := &report.Report{Verdict: verdict, Result: report.Failure, Gateway: report.Gateway{Name: name}, Run: report.Run{Started: started}}
		if err := r.Write(filepath.Join(a.out, name)); err != nil {
			t.Fatal(err)
		}
	}
	write("stale", report.Good, time.Now().Add(-time.Hour))
	var said bytes.Buffer
	a.stdout = &said
	a.conform = func(_ context.Context, driver, _ string) (int, string, error) {
		switch driver {
		case "good":
			write(driver, report.Good, time.Now())
			return 0, "", nil
		case "red":
			write(driver, report.Wrong, time.Now())
			return 1, "", nil
		case "gone":
			return exitMachine, "lbsim: gone is not installed: apt-get install gone", nil
		}
		return 5, "lbsim: boom", nil
	}
	err := a.run(t.Context(), manifests)
	if err == nil || err.Error() != "stale: exit code 5 and no report: lbsim: boom" {
		t.Errorf("got %v, want only that stale has no report", err)
	}
	for _, want := range []string{"judged    good         good", "judged    red          wrong", "left out  gone         lbsim: gone is not installed: apt-get", "left out  new          nobody has tried this driver: no package"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("lacks %q:\n%s", want, said.String())
		}
	}
	grid, err := os.ReadFile(filepath.Join(a.out, "grid.html"))
	if err != nil || !strings.Contains(string(grid), "good") || strings.Contains(string(grid), "stale") {
		t.Errorf("the grid: %v", err)
	}
	delete(manifests, "good.yaml")
	delete(manifests, "red.yaml")
	if err := a.run(t.Context(), manifests); err == nil || !strings.Contains(err.Error(), "no gateway was judged") {
		t.Errorf("nothing to judge: got %v", err)
	}
}

func TestLastLineIsTheLastWholeOne(t *testing.T) {
	var l lastLine
	for _, s := range []string{"a\nb", "c\n", "\n  d \ne"} {
		if _, err := l.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	if l.String() != "d" {
		t.Errorf("got %q, want d", l.String())
	}
}
