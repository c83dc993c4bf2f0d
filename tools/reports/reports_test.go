package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/unilb/unilb/conformance/cases"
	"github.com/unilb/unilb/conformance/labenv"
	"github.com/unilb/unilb/conformance/report"
	"github.com/unilb/unilb/conformance/spec"
)

// sample is a report of every case.
func sample() *report.Report {
	r := &report.Report{
		Suite: report.Suite{Version: labenv.SuiteVersion, Cases: "sha256:00"}, Gateway: report.Gateway{Name: "gw", Version: "1.2.3", Binary: "sha256:0123456789abcdef"},
		Run: report.Run{Started: time.Date(2026, 3, 2, 10, 14, 5, 0, time.UTC), Command: "bin/lbsim conform --gateway gw"},
	}
	var claims []spec.Feature
	for _, c := range cases.All() {
		r.Cases = append(r.Cases, spec.Result{Case: c.ID, Title: c.Title, Level: c.Level, Profile: spec.ProfileOf(c), Feature: c.Needs[0], State: spec.Pass})
		claims = append(claims, c.Needs...)
	}
	r.Fill(spec.Profiles(), claims)
	return r
}

func text(t *testing.T, r *report.Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := r.YAML(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPublishedReportsKeepTheRules(t *testing.T) {
	const at = dir + "/gw/1.2.3/"
	type edit func(*report.Report, fstest.MapFS)
	for name, c := range map[string]struct {
		report edit // before it is written
		file   edit // after
		want   string
	}{
		"good": {nil, nil, ""},
		"edited": {nil, func(_ *report.Report, m fstest.MapFS) {
			m[at+"report.yaml"].Data = append([]byte("# x\n"), m[at+"report.yaml"].Data...)
		}, "edited"},
		"unreadable":           {nil, func(_ *report.Report, m fstest.MapFS) { m[at+"report.yaml"].Data = []byte("a: [") }, "read report"},
		"another README":       {nil, func(_ *report.Report, m fstest.MapFS) { m[at+"README.md"].Data = []byte("# fine") }, "about another report"},
		"no README":            {nil, func(_ *report.Report, m fstest.MapFS) { delete(m, at+"README.md") }, "README.md"},
		"README alone":         {nil, func(_ *report.Report, m fstest.MapFS) { delete(m, at+"report.yaml") }, "report.yaml"},
		"something else":       {nil, func(_ *report.Report, m fstest.MapFS) { m[dir+"/gw/notes.txt"] = &fstest.MapFile{} }, "want only"},
		"another gateway":      {func(r *report.Report, _ fstest.MapFS) { r.Gateway.Name = "other" }, nil, "it is about other 1.2.3"},
		"no folder":            {func(r *report.Report, _ fstest.MapFS) { r.Gateway.Name = ".." }, nil, `gateway ".." cannot be a folder`},
		"a branch":             {func(r *report.Report, _ fstest.MapFS) { r.Gateway.Version = "main" }, nil, "it is about gw sha256-0123456789ab"},
		"no name at all":       {func(r *report.Report, _ fstest.MapFS) { r.Gateway.Version, r.Gateway.Binary = "main", "" }, nil, `version "main" is none`},
		"of an older suite":    {func(r *report.Report, _ fstest.MapFS) { r.Suite.Version = "0.0.1" }, nil, "it is of suite 0.0.1"},
		"of half a run":        {func(r *report.Report, _ fstest.MapFS) { r.Problems = []string{"interrupted"} }, nil, "not complete: interrupted"},
		"not to be repeated":   {func(r *report.Report, _ fstest.MapFS) { r.Run.Command = "" }, nil, "how to make it again"},
		"two mistakes at once": {func(r *report.Report, _ fstest.MapFS) { r.Run.Command, r.Suite.Version = "", "0.0.1" }, nil, "how to make it again"},
	} {
		r := sample()
		if c.report != nil {
			c.report(r, nil)
		}
		m := fstest.MapFS{dir + "/README.md": {}, at + "report.yaml": {Data: text(t, r)}, at + "README.md": {Data: []byte(readme(r))}}
		if c.file != nil {
			c.file(r, m)
		}
		if err := verify(m); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestPublishTakesWholeReportsAndReplacesOlderOnes(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), dir)
	put := func(r *report.Report) {
		t.Helper()
		if err := r.Write(filepath.Join(from, "gw")); err != nil {
			t.Fatal(err)
		}
	}
	old := sample()
	old.Gateway.Version = "1.0"
	for _, r := range []*report.Report{old, sample()} {
		put(r)
		if err := publish(from, to); err != nil {
			t.Fatal(err)
		}
	}
	have, err := filepath.Glob(filepath.Join(to, "*", "*"))
	if err != nil || len(have) != 1 || !strings.HasSuffix(have[0], "gw/1.2.3") {
		t.Errorf("got %v, %v, want gw/1.2.3 alone", have, err)
	}
	root, err := filepath.Abs(filepath.Join(to, "../.."))
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(os.DirFS(root)); err != nil {
		t.Errorf("what was published: %v", err)
	}
	part := sample()
	part.Cases = part.Cases[1:]
	put(part)
	if err := publish(from, to); err == nil || !strings.Contains(err.Error(), "it lacks 1 cases") {
		t.Errorf("a part of the suite: got %v", err)
	}
	if err := publish(t.TempDir(), to); err == nil || !strings.Contains(err.Error(), "make conformance-all") {
		t.Errorf("nothing: got %v", err)
	}
}
