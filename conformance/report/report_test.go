package report

import (
	"bytes"
	"encoding/xml"
	"flag"
	"html/template"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/conformance/casedoc"
	"github.com/unilb/unilb/conformance/spec"
)

var update = flag.Bool("update", false, "write golden files")

// suiteOf are profiles that stay as they are when the suite grows.
var suiteOf = []spec.Profile{
	{Name: "L7-ROUTING", Core: []spec.Feature{spec.RouteURI, spec.RouteHost, spec.RouteMethods}, Extended: []spec.Feature{spec.RouteVars}},
	{Name: "L7-TRAFFIC", Core: []spec.Feature{spec.UpstreamWeights}, Extended: []spec.Feature{spec.ActiveChecks, spec.PassiveChecks}},
	{Name: "L7-RELOAD", Core: []spec.Feature{spec.HotConfig}},
	{Name: "TLS", Core: []spec.Feature{spec.TLSSNI}},
	{Name: "VPC-DATAPATH", Core: []spec.Feature{spec.VPCTargets}},
}

// result is one of a case that does not exist, so that goldens do not change with
// the texts of real ones.
func result(id string, f spec.Feature, s spec.State, edit ...func(*spec.Result)) spec.Result {
	r := spec.Result{Case: id, Title: "It holds for " + id + ".", Level: spec.Must, Feature: f, Refs: []string{"x"}, State: s, Took: 84 * time.Millisecond}
	for _, p := range suiteOf {
		r.Blocking = r.Blocking || slices.Contains(p.Core, f)
		if slices.Contains(p.Core, f) || slices.Contains(p.Extended, f) {
			r.Profile = p.Name
		}
	}
	for _, e := range edit {
		e(&r)
	}
	return r
}

func sample() *Report {
	says := func(lines ...string) func(*spec.Result) { return func(r *spec.Result) { r.Says = lines } }
	because := func(x spec.Reason) func(*spec.Result) { return func(r *spec.Result) { r.Reason = &x } }
	r := &Report{
		Suite: Suite{Version: "0.1.0", Commit: "1f2e3d", Cases: "sha256:00"}, Gateway: Gateway{Name: "l7gw", Version: "0.9.2", Binary: "sha256:11", Driver: "l7gw", Claims: "asserted"},
		Run:     Run{Started: time.Date(2026, 3, 2, 10, 14, 5, 0, time.UTC), Took: 221 * time.Second, Seed: 42, Topology: "two-az", TopologyDigest: "sha256:22", Up: 3 * time.Second, Command: "lbsim conform"},
		Machine: Machine{Kernel: "6.18", Arch: "amd64", CPUs: 2, Has: []spec.Capability{spec.NetNS}, Lacks: []spec.Capability{spec.EBPF}},
		Cases: []spec.Result{
			result("X-EXACT", spec.RouteURI, spec.Pass),
			result("X-HOST", spec.RouteHost, spec.Fail, says("flaky: passed in 2 of 3 runs; run 2 says:", "got 404, want 200 from <blue-1>", "got 404 & so on"), func(r *spec.Result) {
				r.Story, r.Rerun, r.Evidence = []string{"step: ask", "asked"}, "lbsim conform --case X-HOST", []string{"out/evidence/X-HOST/x"}
				r.Runs, r.Passed, r.Flaky = 3, 2, true
			}),
			result("X-METHOD", spec.RouteMethods, spec.Warn, says("slow")),
			result("X-VARS", spec.RouteVars, spec.Unsupported, because(spec.Reason{Code: spec.Unclaimed, Needs: []spec.Feature{spec.RouteVars}}), func(r *spec.Result) { r.Challenge = spec.Pass }),
			result("X-DOWN-UP", spec.ActiveChecks, spec.Broken, says("the case panicked: boom")),
			result("X-PASSIVE", spec.PassiveChecks, spec.Fail, says("got 3, want 2"), func(r *spec.Result) {
				r.Quarantine = &spec.Quarantine{Reason: "slow disks", Since: "2026-03-01", Expires: "2026-03-31"}
			}),
			result("X-SNI", spec.TLSSNI, spec.Unsupported, because(spec.Reason{Code: spec.Unclaimed, Needs: []spec.Feature{spec.TLSSNI}})),
			result("X-OVERLAP", spec.VPCTargets, spec.Skip, because(spec.Reason{Code: spec.Machine, Lacks: []spec.Capability{spec.EBPF}})),
			result("X-UNDER-LOAD", spec.HotConfig, spec.Unproven, because(spec.Reason{Code: spec.After, Case: "X-BASIC"})),
		},
		Scenarios: []spec.Result{{Case: "AZ outage moves traffic", Title: "scenarios: AZ outage moves traffic", State: spec.Pass, Level: spec.Must, Took: time.Second, Story: []string{"recovered: 1.42s <limit 15s>"}}},
	}
	r.Fill(suiteOf, []spec.Feature{spec.RouteURI, spec.RouteHost, spec.RouteMethods, spec.ActiveChecks, spec.PassiveChecks, spec.VPCTargets, spec.HotConfig})
	return r
}

// foreign is another gateway, judged by other cases.
func foreign() *Report {
	r := &Report{
		Suite: Suite{Version: "0.1.0", Cases: "sha256:99"}, Gateway: Gateway{Name: "nginx", Version: "1.22.1", Binary: "sha256:33", Driver: "nginx", Claims: "asserted"},
		Run:     Run{Started: time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC), Took: 90 * time.Second, Seed: 42, Topology: "hello", TopologyDigest: "sha256:44", Up: time.Second, Left: 3},
		Machine: Machine{Kernel: "6.18", Arch: "amd64", CPUs: 2, Has: []spec.Capability{spec.NetNS}},
		Cases: []spec.Result{
			result("X-EXACT", spec.RouteURI, spec.Pass), result("X-HOST", spec.RouteHost, spec.Pass), result("X-METHOD", spec.RouteMethods, spec.Pass),
			result("X-ONLY-HERE", spec.UpstreamWeights, spec.Fail, func(r *spec.Result) { r.Says = []string{strings.Repeat("got <b>, ", 20)} }),
		},
	}
	r.Fill(suiteOf, []spec.Feature{spec.RouteURI, spec.RouteHost, spec.RouteMethods, spec.RouteVars, spec.UpstreamWeights})
	return r
}

func TestReportsLookAsTheyDid(t *testing.T) {
	for name, write := range map[string]func(*Report, *bytes.Buffer) error{
		"report.yaml": func(r *Report, b *bytes.Buffer) error { return r.YAML(b) },
		"report.html": func(r *Report, b *bytes.Buffer) error { return r.HTML(b) },
		"junit.xml":   func(r *Report, b *bytes.Buffer) error { return r.JUnit(b) },
		"summary.txt": func(r *Report, b *bytes.Buffer) error { return r.Summary(b) },
		"grid.html":   func(r *Report, b *bytes.Buffer) error { return Grid(b, []*Report{r, foreign()}) },
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
	if !reflect.DeepEqual(got.Cases, want.Cases) || got.Counts != want.Counts || !reflect.DeepEqual(got.Run, want.Run) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func TestLastLineOfTheSummaryIsTheThreeNumbers(t *testing.T) {
	var b bytes.Buffer
	if err := sample().Summary(&b); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if got, want := lines[len(lines)-1], "3 passed, 3 failed, 4 skipped"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestResultsAndExitCodes(t *testing.T) {
	only := []spec.Profile{{Name: "L7-ROUTING", Core: []spec.Feature{spec.RouteURI}}}
	one := func(states ...spec.State) *Report {
		r := &Report{}
		for _, s := range states {
			r.Cases = append(r.Cases, spec.Result{Case: "X", Feature: spec.RouteURI, Profile: "L7-ROUTING", State: s})
		}
		r.Fill(only, []spec.Feature{spec.RouteURI})
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
		"nothing but broken":   {one(spec.Broken, spec.Skip), Partial, Failure, 2},
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
	other := &Report{Cases: []spec.Result{
		{Case: "X", Feature: spec.RouteURI, Profile: "L7-ROUTING", State: spec.Pass},
		{Case: "Y", Feature: spec.TLSSNI, Profile: "TLS", State: spec.Unsupported, Reason: &spec.Reason{Code: spec.Unclaimed, Needs: []spec.Feature{spec.TLSSNI}}},
	}}
	if other.Fill(spec.Profiles(), []spec.Feature{spec.RouteURI}); other.Profiles[1].Result != Unclaimed || other.Result != Partial || other.Exit() != 0 {
		t.Errorf("a profile of which nothing is claimed: got %s, %s, %d, want %s, %s, 0", other.Profiles[1].Result, other.Result, other.Exit(), Unclaimed, Partial)
	}
	r := one(spec.Pass)
	r.Problems = []string{"interrupted"}
	if r.Fill(only, []spec.Feature{spec.RouteURI}); r.Result != Partial || r.Exit() != 2 {
		t.Errorf("a problem: got %s, %d", r.Result, r.Exit())
	}
	var junit strings.Builder
	if err := r.JUnit(&junit); err != nil || !strings.Contains(junit.String(), `<error message="interrupted">`) {
		t.Errorf("a problem in JUnit: got %v, %s", err, junit.String())
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

func TestPagesHoldTheTextsOfCases(t *testing.T) {
	e := casedoc.All()[0]
	r := &Report{Cases: []spec.Result{{Case: e.ID, Title: e.Title, Feature: e.Features[0], Profile: e.Profile, State: spec.Fail}}}
	r.Fill(spec.Profiles(), e.Features)
	for name, write := range map[string]func(*bytes.Buffer) error{
		"report": func(b *bytes.Buffer) error { return r.HTML(b) },
		"grid":   func(b *bytes.Buffer) error { return Grid(b, []*Report{r}) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{template.HTMLEscapeString(e.Catches), e.Page(), template.HTMLEscapeString(e.Bugs[0])} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s: lacks %q of %s", name, want, e.ID)
			}
		}
		for _, bad := range []string{"<script", "src=", "href=\"http"} {
			if strings.Contains(b.String(), bad) {
				t.Errorf("%s: contains %q", name, bad)
			}
		}
	}
}

func TestFeaturesAreNotBetterThanTheirCases(t *testing.T) {
	reason := func(r *spec.Result) { r.Reason = &spec.Reason{Code: spec.Machine} }
	quarantine := func(r *spec.Result) { r.Quarantine = &spec.Quarantine{} }
	challenge := func(s spec.State) func(*spec.Result) { return func(r *spec.Result) { r.Challenge = s } }
	of := func(s spec.State, edit ...func(*spec.Result)) spec.Result {
		return result("X-A", spec.RouteURI, s, edit...)
	}
	for name, c := range map[string]struct {
		cases     []spec.Result
		unclaimed bool
		want      FeatureState
		passed    int
		surprise  bool
	}{
		"all pass":                     {[]spec.Result{of(spec.Pass), of(spec.Warn)}, false, Supported, 2, false},
		"one fails":                    {[]spec.Result{of(spec.Pass), of(spec.Fail), of(spec.Broken)}, false, NotMet, 1, false},
		"one is broken":                {[]spec.Result{of(spec.Pass), of(spec.Broken)}, false, FeatureUndecided, 1, false},
		"one is skipped":               {[]spec.Result{of(spec.Pass), of(spec.Skip, reason)}, false, PartlyJudged, 1, false},
		"quarantine is no support":     {[]spec.Result{of(spec.Pass), of(spec.Fail, quarantine)}, false, PartlyJudged, 1, false},
		"all are skipped":              {[]spec.Result{of(spec.Skip, reason)}, false, Unjudged, 0, false},
		"not claimed":                  {[]spec.Result{of(spec.Unsupported)}, true, NotClaimed, 0, false},
		"not claimed, and passes":      {[]spec.Result{of(spec.Unsupported, challenge(spec.Pass))}, true, NotClaimed, 1, true},
		"not claimed, and passes some": {[]spec.Result{of(spec.Unsupported, challenge(spec.Pass)), of(spec.Unsupported, challenge(spec.Fail))}, true, NotClaimed, 1, false},
	} {
		r := &Report{Cases: c.cases}
		claims := []spec.Feature{spec.RouteURI}
		if c.unclaimed {
			claims = []spec.Feature{spec.RouteHost}
		}
		r.Fill(suiteOf, claims)
		if f := r.Features[0]; f.State != c.want || f.Passed != c.passed || f.Cases != len(c.cases) || (len(r.Surprises) > 0) != c.surprise {
			t.Errorf("%s: got %+v, surprises %q, want %s with %d passed", name, f, r.Surprises, c.want, c.passed)
		}
	}
}

func TestBlockingPartIsWhatIsCoreAndClaimed(t *testing.T) {
	r := &Report{Run: Run{Up: 2 * time.Second}, Cases: []spec.Result{
		result("X-A", spec.RouteURI, spec.Pass), result("X-B", spec.RouteHost, spec.Pass, func(r *spec.Result) { r.Runs = 3 }),
		result("X-C", spec.RouteVars, spec.Fail), result("X-D", spec.TLSSNI, spec.Unsupported),
	}}
	r.Fill(suiteOf, []spec.Feature{spec.RouteURI, spec.RouteHost, spec.RouteVars})
	if got, want := *r.Run.Blocking, (Blocking{Success, 2, 2*time.Second + 4*84*time.Millisecond}); got != want || r.Verdict != Wrong {
		t.Errorf("got %+v, %s, want %+v, wrong", got, r.Verdict, want)
	}
	r.Cases[0].State = spec.Fail
	if r.Fill(suiteOf, []spec.Feature{spec.RouteURI, spec.RouteHost}); r.Run.Blocking.Result != Failure {
		t.Errorf("a core case fails: got %+v", r.Run.Blocking)
	}
	r.Cases = r.Cases[2:3]
	if r.Fill(suiteOf, []spec.Feature{spec.RouteVars}); r.Run.Blocking != nil {
		t.Errorf("no core case: got %+v, want none", r.Run.Blocking)
	}
}

func TestQuarantinedFailureBlocksNobodyAndIsNoSuccess(t *testing.T) {
	r := &Report{Cases: []spec.Result{result("X-A", spec.RouteURI, spec.Pass), result("X-B", spec.RouteURI, spec.Fail, func(r *spec.Result) { r.Quarantine = &spec.Quarantine{Reason: "slow disks"} })}}
	r.Fill(suiteOf, []spec.Feature{spec.RouteURI})
	var b bytes.Buffer
	if err := r.Summary(&b); err != nil {
		t.Fatal(err)
	}
	if r.Exit() != 0 || r.Verdict != Good || r.Result != Partial || r.Profiles[0].Result != Partial || !strings.Contains(b.String(), "slow disks") {
		t.Errorf("got exit %d, %s, %s, want 0, good, partial\n%s", r.Exit(), r.Verdict, r.Result, b.String())
	}
}

func TestCoreFeatureThatNobodyJudgedLeavesTheProfilePartial(t *testing.T) {
	all := []spec.Result{result("X-A", spec.RouteURI, spec.Pass), result("X-B", spec.RouteHost, spec.Pass), result("X-C", spec.RouteMethods, spec.Pass)}
	claims := []spec.Feature{spec.RouteURI, spec.RouteHost, spec.RouteMethods}
	for name, c := range map[string]struct {
		cases  []spec.Result
		claims []spec.Feature
		want   string
	}{
		"all":         {all, claims, Success},
		"no case":     {all[:2], claims, Partial},
		"not claimed": {all[:2], claims[:2], Partial},
	} {
		r := &Report{Cases: c.cases}
		r.Fill(suiteOf, c.claims)
		if p := r.Profiles[0]; p.Result != c.want || r.Result != c.want || strings.Contains(p.Summary, "route.methods") != (c.want == Partial) {
			t.Errorf("%s: got %s, %s, %q, want %s", name, p.Result, r.Result, p.Summary, c.want)
		}
	}
}

func TestPartOfTheSuiteIsNoSuccess(t *testing.T) {
	r := &Report{Run: Run{Left: 7}, Cases: []spec.Result{result("X-A", spec.RouteURI, spec.Pass)}}
	if r.Fill(suiteOf, []spec.Feature{spec.RouteURI}); r.Result != Partial || r.Exit() != 0 || !strings.Contains(r.Meaning(), "7 not asked for") {
		t.Errorf("got %s, exit %d, %q, want partial and 0", r.Result, r.Exit(), r.Meaning())
	}
}

func TestUnclaimedExtendedFeatureLeavesASuccess(t *testing.T) {
	r := &Report{Cases: []spec.Result{result("X-A", spec.UpstreamWeights, spec.Pass), result("X-B", spec.ActiveChecks, spec.Unsupported)}}
	if r.Fill(suiteOf, []spec.Feature{spec.UpstreamWeights}); r.Result != Success || r.Counts.Skipped != 1 {
		t.Errorf("got %s, %+v, want success with one skipped", r.Result, r.Counts)
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
	if tests != 10 || failures != 1 || errs != 2 || skipped != 4 {
		t.Errorf("got %d tests, %d failures, %d errors, %d skipped, want 10, 1, 2, 4", tests, failures, errs, skipped)
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

func TestWrittenReportsNameNoFolderOfTheMachine(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	r := sample()
	r.Run.Command = here + "/bin/lbsim conform --out " + here + "/out/x"
	r.Cases[1].Rerun, r.Cases[1].Evidence, r.Cases[1].Story = here+"/bin/lbsim conform", []string{here + "/out/x/log"}, []string{"see " + here + "/out/x/log"}
	r.Problems = []string{"open " + here + "/out: no"}
	dir := t.TempDir()
	if err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{YAMLFile, HTMLFile, JUnitFile} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), here) || !strings.Contains(string(b), "bin/lbsim conform --out out/x") {
			t.Errorf("%s names %s, or lacks the command", name, here)
		}
	}
	if !strings.HasPrefix(r.Cases[1].Rerun, here) {
		t.Error("the report itself was changed")
	}
}

func TestReleaseIsAVersionOrADigestAndNeverABranch(t *testing.T) {
	const digest = "sha256:0123456789abcdef"
	for version, want := range map[string]string{
		"1.22.1": "1.22.1", "v0.9.2": "v0.9.2", "2.6.12-1+deb12u2": "2.6.12-1+deb12u2", "devel": "sha256-0123456789ab", "main": "sha256-0123456789ab", "../1": "sha256-0123456789ab", "": "sha256-0123456789ab",
	} {
		if got := (Gateway{Version: version, Binary: digest}).Release(); got != want {
			t.Errorf("%q: got %q, want %q", version, got, want)
		}
	}
	if got := (Gateway{Version: "main"}).Release(); got != "" {
		t.Errorf("neither version nor digest: got %q", got)
	}
}
