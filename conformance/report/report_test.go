package report

import (
	"bytes"
	"encoding/xml"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

var update = flag.Bool("update", false, "write golden files")

func sample() *Report {
	res := func(id string, f spec.Feature, s spec.State, edit ...func(*spec.Result)) spec.Result {
		r := spec.Result{Case: id, Title: "It holds for " + id + ".", Level: spec.Must, Feature: f, Refs: []string{"x"}, State: s, Took: 84 * time.Millisecond,
			Profile: spec.ProfileOf(spec.Case{Needs: []spec.Feature{f}})}
		for _, e := range edit {
			e(&r)
		}
		return r
	}
	says := func(lines ...string) func(*spec.Result) { return func(r *spec.Result) { r.Says = lines } }
	because := func(x spec.Reason) func(*spec.Result) { return func(r *spec.Result) { r.Reason = &x } }
	r := &Report{
		Suite: Suite{Version: "0.1.0", Commit: "1f2e3d", Cases: "sha256:00"}, Gateway: Gateway{Name: "l7gw", Version: "0.9.2", Binary: "sha256:11", Driver: "l7gw", Claims: "asserted"},
		Run:     Run{Started: time.Date(2026, 3, 2, 10, 14, 5, 0, time.UTC), Took: 221 * time.Second, Seed: 42, Topology: "two-az", TopologyDigest: "sha256:22", Up: 3 * time.Second, Command: "lbsim conform"},
		Machine: Machine{Kernel: "6.18", Arch: "amd64", CPUs: 2, Has: []spec.Capability{spec.NetNS}, Lacks: []spec.Capability{spec.EBPF}},
		Cases: []spec.Result{
			res("ROUTE-EXACT", spec.RouteURI, spec.Pass),
			res("ROUTE-HOST", spec.RouteHost, spec.Fail, says("got 404, want 200 from <blue-1>", "got 404 & so on"), func(r *spec.Result) {
				r.Story, r.Rerun, r.Evidence = []string{"step: ask", "asked"}, "lbsim conform --case ROUTE-HOST", []string{"out/evidence/ROUTE-HOST/x"}
			}),
			res("ROUTE-METHOD", spec.RouteMethods, spec.Warn, says("slow")),
			res("HEALTH-DOWN-UP", spec.ActiveChecks, spec.Broken, says("the case panicked: boom")),
			res("ADMIN-IF-MATCH", spec.AdminIfMatch, spec.Unsupported, because(spec.Reason{Code: spec.Unclaimed, Needs: []spec.Feature{spec.AdminIfMatch}})),
			res("VPC-OVERLAP", spec.VPCTargets, spec.Skip, because(spec.Reason{Code: spec.Machine, Lacks: []spec.Capability{spec.EBPF}})),
			res("RELOAD-UNDER-LOAD", spec.HotConfig, spec.Unproven, because(spec.Reason{Code: spec.After, Case: "RELOAD-BASIC"})),
		},
		Scenarios: []spec.Result{{Case: "AZ outage moves traffic", Title: "scenarios: AZ outage moves traffic", State: spec.Pass, Took: time.Second, Story: []string{"recovered: 1.42s <limit 15s>"}}},
	}
	r.Fill(spec.Profiles(), []spec.Feature{spec.RouteURI, spec.RouteHost, spec.RouteMethods, spec.ActiveChecks, spec.VPCTargets, spec.HotConfig})
	return r
}

func TestReportsLookAsTheyDid(t *testing.T) {
	for name, write := range map[string]func(*Report, *bytes.Buffer) error{
		"report.yaml": func(r *Report, b *bytes.Buffer) error { return r.YAML(b) },
		"report.html": func(r *Report, b *bytes.Buffer) error { return r.HTML(b) },
		"junit.xml":   func(r *Report, b *bytes.Buffer) error { return r.JUnit(b) },
		"summary.txt": func(r *Report, b *bytes.Buffer) error { return r.Summary(b) },
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := write(sample(), &got); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("%s differs; run with -update and look at the difference\ngot\n%s", golden, got.Bytes())
			}
		})
	}
}

func TestYAMLReadsBackAsItWas(t *testing.T) {
	var b bytes.Buffer
	want := sample()
	if err := want.YAML(&b); err != nil {
		t.Fatal(err)
	}
	got, err := Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Cases, want.Cases) || got.Counts != want.Counts || got.Run != want.Run {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func TestLastLineOfTheSummaryIsTheThreeNumbers(t *testing.T) {
	var b bytes.Buffer
	if err := sample().Summary(&b); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if got, want := lines[len(lines)-1], "3 passed, 3 failed, 2 skipped"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestResultsAndExitCodes(t *testing.T) {
	one := func(states ...spec.State) *Report {
		r := &Report{}
		for _, s := range states {
			r.Cases = append(r.Cases, spec.Result{Case: "X", Feature: spec.RouteURI, Profile: "L7-ROUTING", State: s})
		}
		r.Fill(spec.Profiles(), []spec.Feature{spec.RouteURI})
		return r
	}
	for name, c := range map[string]struct {
		r       *Report
		result  string
		profile string
		exit    int
	}{
		"good":                 {one(spec.Pass, spec.Warn), Success, Success, 0},
		"a failure":            {one(spec.Pass, spec.Fail), Failure, Failure, 1},
		"a failure and broken": {one(spec.Broken, spec.Fail), Failure, Failure, 1},
		"broken is undecided":  {one(spec.Pass, spec.Broken), Failure, Failure, 2},
		"unproven":             {one(spec.Pass, spec.Unproven), Failure, Failure, 2},
		"unknown":              {one(spec.Pass, spec.Unknown), Failure, Failure, 2},
		"no state at all":      {one(spec.Pass, ""), Failure, Failure, 2},
		"a skip":               {one(spec.Pass, spec.Skip), Partial, Partial, 0},
		"only skips":           {one(spec.Skip), Partial, Partial, 2},
		"nothing":              {one(), Partial, "none", 2},
	} {
		profile := "none"
		if len(c.r.Profiles) > 0 {
			profile = c.r.Profiles[0].Result
		}
		if c.r.Result != c.result || profile != c.profile || c.r.Exit() != c.exit {
			t.Errorf("%s: got %s, %s, %d, want %s, %s, %d", name, c.r.Result, profile, c.r.Exit(), c.result, c.profile, c.exit)
		}
	}
	foreign := &Report{Cases: []spec.Result{
		{Case: "X", Feature: spec.RouteURI, Profile: "L7-ROUTING", State: spec.Pass},
		{Case: "Y", Feature: spec.TLSSNI, Profile: "TLS", State: spec.Unsupported, Reason: &spec.Reason{Code: spec.Unclaimed, Needs: []spec.Feature{spec.TLSSNI}}},
	}}
	if foreign.Fill(spec.Profiles(), []spec.Feature{spec.RouteURI}); foreign.Profiles[1].Result != Unclaimed || foreign.Result != Partial || foreign.Exit() != 0 {
		t.Errorf("a profile of which nothing is claimed: got %s, %s, %d, want %s, %s, 0", foreign.Profiles[1].Result, foreign.Result, foreign.Exit(), Unclaimed, Partial)
	}
	r := one(spec.Pass)
	r.Problems = []string{"interrupted"}
	if r.Fill(spec.Profiles(), nil); r.Result != Partial || r.Exit() != 2 {
		t.Errorf("a problem: got %s, %d", r.Result, r.Exit())
	}
}

func TestUnclaimedCoreFeatureLeavesTheRunUndecided(t *testing.T) {
	run := func(needs spec.Feature) *Report {
		r := &Report{Gateway: Gateway{Driver: "m1.yaml"}, Cases: []spec.Result{
			{Case: "A", Feature: spec.RouteURI, Profile: "L7-ROUTING", State: spec.Pass},
			{Case: "B", Feature: needs, Profile: spec.ProfileOf(spec.Case{Needs: []spec.Feature{needs}}), State: spec.Unsupported, Reason: &spec.Reason{Code: spec.Unclaimed, Needs: []spec.Feature{needs}}},
		}}
		r.Fill(spec.Profiles(), []spec.Feature{spec.RouteURI})
		return r
	}
	r := run(spec.RouteHost)
	var b bytes.Buffer
	if err := r.Summary(&b); err != nil {
		t.Fatal(err)
	}
	if want := "undecided: L7-ROUTING needs [route.host], which driver m1.yaml does not claim"; r.Exit() != 2 || r.Profiles[0].Result != Partial || !strings.Contains(b.String(), want) {
		t.Errorf("got exit %d, %s\n%s\nwant 2, partial and %q", r.Exit(), r.Profiles[0].Result, b.String(), want)
	}
	if r := run(spec.AdminIfMatch); r.Exit() != 0 { // an extended feature may be left out
		t.Errorf("extended feature: got exit %d, want 0", r.Exit())
	}
}

func TestProfilesWithoutCasesAreNotInTheReport(t *testing.T) {
	r := &Report{Cases: []spec.Result{{Case: "A", Feature: spec.RouteURI, Profile: "L7-ROUTING", State: spec.Pass}}}
	r.Fill(spec.Profiles(), nil)
	if len(r.Profiles) != 1 || r.Profiles[0].Name != "L7-ROUTING" {
		t.Errorf("got %+v, want L7-ROUTING alone", r.Profiles)
	}
}

func TestHTMLEscapesAndNeedsNoNetwork(t *testing.T) {
	var b bytes.Buffer
	if err := sample().HTML(&b); err != nil {
		t.Fatal(err)
	}
	s := b.String()
	if strings.Contains(s, "<blue-1>") || !strings.Contains(s, "&lt;blue-1&gt;") {
		t.Error("text of a failure is not escaped")
	}
	for _, bad := range []string{"http://", "https://", "<script", "src="} {
		if strings.Contains(s, bad) {
			t.Errorf("the page contains %q", bad)
		}
	}
}

func TestJUnitIsWellFormedAndCountsErrors(t *testing.T) {
	var b bytes.Buffer
	if err := sample().JUnit(&b); err != nil {
		t.Fatal(err)
	}
	var back junitSuites
	if err := xml.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	tests, failures, errs, skipped := 0, 0, 0, 0
	for _, s := range back.Suites {
		tests, failures, errs, skipped = tests+s.Tests, failures+s.Failures, errs+s.Errors, skipped+s.Skipped
	}
	if tests != 8 || failures != 1 || errs != 2 || skipped != 2 {
		t.Errorf("got %d tests, %d failures, %d errors, %d skipped, want 8, 1, 2, 2", tests, failures, errs, skipped)
	}
}

func TestWriteLeavesThreeCompleteFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	if err := sample().Write(dir); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("got %v, %v, want three files", entries, err)
	}
}
