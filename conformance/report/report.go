package report

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

// A Report is everything a run of the suite found.
type Report struct {
	APIVersion string          `yaml:"apiVersion" required:"true" enum:"lbsim.report/v1"`
	Kind       string          `yaml:"kind" required:"true" enum:"ConformanceReport"`
	Verdict    string          `yaml:"verdict" required:"true" enum:"good,wrong,undecided"`   // what the exit code says
	Result     string          `yaml:"result" required:"true" enum:"success,partial,failure"` // partial: something was not judged
	Suite      Suite           `yaml:"suite"`
	Gateway    Gateway         `yaml:"gateway"`
	Run        Run             `yaml:"run"`
	Machine    Machine         `yaml:"machine"`
	Counts     Counts          `yaml:"counts"`
	Profiles   []ProfileResult `yaml:"profiles"`
	Features   []FeatureResult `yaml:"features"`            // of the profiles above
	Surprises  []string        `yaml:"surprises,omitempty"` // what is not claimed and passes when challenged
	Cases      []spec.Result   `yaml:"cases"`
	Scenarios  []spec.Result   `yaml:"scenarios,omitempty"`
	Problems   []string        `yaml:"problems,omitempty"` // what kept the run from being complete
	Digest     string          `yaml:"digest,omitempty"`   // of everything above, in the last line of the file
}

// Suite identifies the list of cases.
type Suite struct {
	Version string `yaml:"version"`
	Commit  string `yaml:"commit,omitempty"`
	Cases   string `yaml:"cases"` // digest of the case list
}

// Gateway identifies the build that was judged. Binary is measured, not asked.
type Gateway struct {
	Name    string `yaml:"name"`
	Version string `yaml:"version,omitempty"`
	Binary  string `yaml:"binary,omitempty"` // "sha256:..."
	Driver  string `yaml:"driver"`
	Claims  string `yaml:"claims"` // "asserted": the manifest says so
}

var isVersion = regexp.MustCompile(`^v?[0-9]+(\.[0-9]+)*([-+.][0-9A-Za-z.+-]*)?$`)

// Release names the build in a path: its version, or the beginning of its binary's
// digest where what it says is no version. A branch is not one.
func (g Gateway) Release() string {
	if isVersion.MatchString(g.Version) {
		return g.Version
	}
	kind, hex, _ := strings.Cut(g.Binary, ":")
	if len(hex) < 12 {
		return "" // nothing tells this build from another
	}
	return kind + "-" + hex[:12]
}

// Run says when and on what the suite ran.
type Run struct {
	Started        time.Time     `yaml:"started"`
	Took           time.Duration `yaml:"took"`
	Seed           uint64        `yaml:"seed"`
	Topology       string        `yaml:"topology,omitempty"`
	TopologyDigest string        `yaml:"topologyDigest,omitempty"`
	Up             time.Duration `yaml:"up,omitempty"` // time to bring the region up
	Command        string        `yaml:"command,omitempty"`
	Left           int           `yaml:"left,omitempty"`     // cases of the suite that nobody asked for: the result is partial at best
	Blocking       *Blocking     `yaml:"blocking,omitempty"` // absent: no case of it was asked for
}

// Blocking is the part of a run that a release waits for: the cases of core
// features. They run first.
type Blocking struct {
	Result string        `yaml:"result" enum:"success,partial,failure"`
	Cases  int           `yaml:"cases"`
	Took   time.Duration `yaml:"took"` // from the first command to its verdict: bringing the region up, and these cases
}

// Machine says what the machine offered.
type Machine struct {
	Kernel string            `yaml:"kernel,omitempty"`
	Arch   string            `yaml:"arch"`
	CPUs   int               `yaml:"cpus"`
	Has    []spec.Capability `yaml:"has"`
	Lacks  []spec.Capability `yaml:"lacks"`
}

// Counts is the summary in three numbers, over cases and scenarios.
type Counts struct {
	Passed  int `yaml:"passed"`
	Failed  int `yaml:"failed"`
	Skipped int `yaml:"skipped"` // not run, not claimed, or in quarantine
}

// Verdicts of a run.
const (
	Good      = "good"
	Wrong     = "wrong"
	Undecided = "undecided"
)

// Results of a profile or of a run. A partial result never reads as success.
const (
	Success = "success"
	Partial = "partial"
	Failure = "failure"
	// Unclaimed is the result of a profile none of whose features the driver
	// claims: it says nothing about the gateway and blocks nothing.
	Unclaimed = "unclaimed"
)

// ProfileResult is what a gateway achieved in one profile.
type ProfileResult struct {
	Name    string `yaml:"name"`
	Result  string `yaml:"result" enum:"success,partial,failure,unclaimed"`
	Summary string `yaml:"summary"`
	Core    Tally  `yaml:"core"`
	// Unclaimed are core features that a judged case needs and the driver does
	// not claim although it claims others of the profile: the profile stays open.
	Unclaimed []spec.Feature `yaml:"unclaimed,omitempty"`
	Extended  Extended       `yaml:"extended"`
}

// Extended is the part of a profile that a gateway may claim.
type Extended struct {
	Supported   []spec.Feature `yaml:"supported"`
	Unsupported []NotSupported `yaml:"unsupported"`
	Counts      Tally          `yaml:"counts"`
}

// NotSupported is a feature that was not judged, and why.
type NotSupported struct {
	Feature spec.Feature `yaml:"feature"`
	Why     string       `yaml:"why"`
}

// Tally counts cases by what became of them.
type Tally struct {
	Passed  int `yaml:"passed"`
	Failed  int `yaml:"failed"`
	Warned  int `yaml:"warned"`
	Skipped int `yaml:"skipped"`
	Broken  int `yaml:"broken"` // broken, unproven, unknown
}

func (t *Tally) add(r spec.Result) {
	switch {
	case r.Counts() == spec.Skipped:
		t.Skipped++
	case r.State == spec.Pass:
		t.Passed++
	case r.State == spec.Warn:
		t.Warned++
	case r.State == spec.Fail:
		t.Failed++
	default:
		t.Broken++
	}
}

func (t Tally) total() int { return t.Passed + t.Warned + t.Failed + t.Skipped + t.Broken }

// result judges a tally: nothing judged is not a success.
func (t Tally) result() string {
	switch {
	case t.Failed > 0 || t.Broken > 0:
		return Failure
	case t.Skipped > 0 || t.Passed+t.Warned == 0:
		return Partial
	}
	return Success
}

// Fill computes what follows from cases and scenarios: counts, profiles and
// features (those of which there is a case), the result and the verdict. Call it
// after the last result was added.
func (r *Report) Fill(profiles []spec.Profile, claims []spec.Feature) {
	r.APIVersion, r.Kind = "lbsim.report/v1", "ConformanceReport"
	r.Profiles, r.Features, r.Surprises, r.Counts = nil, nil, nil, Counts{}
	for _, res := range slices.Concat(r.Cases, r.Scenarios) {
		switch res.Counts() {
		case spec.Passed:
			r.Counts.Passed++
		case spec.Skipped:
			r.Counts.Skipped++
		default:
			r.Counts.Failed++
		}
	}
	for _, p := range profiles {
		if slices.ContainsFunc(r.Cases, func(c spec.Result) bool { return c.Profile == p.Name }) {
			r.features(p, claims)
			r.Profiles = append(r.Profiles, r.profile(p, claims))
		}
	}
	r.Run.Blocking = r.blocking()
	r.Result, r.Verdict = r.result(), Good
	switch r.Exit() {
	case 1:
		r.Verdict = Wrong
	case 2:
		r.Verdict = Undecided
	}
}

// result is success when everything was judged that is not extended and unclaimed.
func (r *Report) result() string {
	if r.Counts.Failed > 0 && !r.allBroken() {
		return Failure
	}
	open := func(p ProfileResult) bool { return p.Result != Success }
	if r.Counts.Passed == 0 || r.Run.Left > 0 || len(r.Problems) > 0 || slices.ContainsFunc(r.Profiles, open) {
		return Partial
	}
	for _, res := range slices.Concat(r.Cases, r.Scenarios) {
		if res.Counts() == spec.Skipped && (res.State != spec.Unsupported || res.Blocking) {
			return Partial
		}
	}
	return Success
}

// allBroken says that our side failed in all that was run: then nothing was judged.
func (r *Report) allBroken() bool {
	return !slices.ContainsFunc(slices.Concat(r.Cases, r.Scenarios), func(res spec.Result) bool {
		return res.Counts() != spec.Skipped && res.State != spec.Broken
	})
}

// blocking sums up the part that a release waits for.
func (r *Report) blocking() *Blocking {
	b := Blocking{Took: r.Run.Up}
	var t Tally
	for _, res := range r.Cases {
		unclaimed := func(p ProfileResult) bool { return p.Name == res.Profile && p.Result == Unclaimed }
		if res.Blocking && !slices.ContainsFunc(r.Profiles, unclaimed) {
			t.add(res)
			b.Took += res.Took * time.Duration(max(res.Runs, 1))
		}
	}
	if b.Cases = t.total(); b.Cases == 0 {
		return nil
	}
	b.Result = t.result()
	return &b
}

func (r *Report) profile(p spec.Profile, claims []spec.Feature) ProfileResult {
	pr := ProfileResult{Name: p.Name}
	passed, failed := map[spec.Feature]bool{}, map[spec.Feature]bool{}
	open := 0 // extended features that are claimed, and were not judged
	for _, c := range r.Cases {
		if c.Profile != p.Name {
			continue
		}
		if slices.Contains(p.Core, c.Feature) {
			pr.Core.add(c)
		} else {
			pr.Extended.Counts.add(c)
		}
		if c.Reason != nil && c.State == spec.Unsupported {
			for _, f := range c.Reason.Needs {
				if slices.Contains(p.Core, f) && !slices.Contains(pr.Unclaimed, f) {
					pr.Unclaimed = append(pr.Unclaimed, f)
				}
			}
		}
		passed[c.Feature] = passed[c.Feature] || c.Counts() == spec.Passed
		failed[c.Feature] = failed[c.Feature] || c.Counts() == spec.Failed
	}
	for _, f := range p.Extended {
		switch {
		case failed[f]:
			pr.Extended.Unsupported = append(pr.Extended.Unsupported, NotSupported{f, "claimed, but not all of its cases passed"})
		case passed[f]:
			pr.Extended.Supported = append(pr.Extended.Supported, f)
		case !slices.Contains(claims, f):
			pr.Extended.Unsupported = append(pr.Extended.Unsupported, NotSupported{f, "not claimed"})
		default:
			open++
			pr.Extended.Unsupported = append(pr.Extended.Unsupported, NotSupported{f, "claimed, but not judged here"})
		}
	}
	all := pr.Core
	if len(p.Core) == 0 {
		all = pr.Extended.Counts
	} else if x := pr.Extended.Counts; x.Failed+x.Broken > 0 {
		all.Failed += x.Failed + x.Broken
	}
	pr.Result = all.result()
	if !slices.ContainsFunc(slices.Concat(p.Core, p.Extended), func(f spec.Feature) bool { return slices.Contains(claims, f) }) {
		pr.Result, pr.Unclaimed = Unclaimed, nil
	}
	pr.Summary = fmt.Sprintf("%d of %d core cases passed. %d of %d extended features supported.",
		pr.Core.Passed+pr.Core.Warned, pr.Core.total(), len(pr.Extended.Supported), len(p.Extended))
	if open > 0 {
		pr.Summary = strings.TrimSuffix(pr.Summary, ".") + fmt.Sprintf(", %d not judged.", open)
	}
	if open := r.openCore(p.Name); len(open) > 0 && pr.Result != Unclaimed {
		pr.Summary += fmt.Sprintf(" Core that was not judged: %s.", strings.Join(open, ", "))
		if pr.Result == Success {
			pr.Result = Partial
		}
	}
	return pr
}

// openCore are the core features of a profile about which the run says nothing.
func (r *Report) openCore(profile string) []string {
	var open []string
	for _, f := range r.Features {
		if f.Profile == profile && f.Core && (f.State == NotClaimed || f.State == Unjudged) {
			open = append(open, string(f.Feature))
		}
	}
	return open
}

// Exit is the exit code of a run: 0 good, 1 something is wrong with the
// gateway, 2 undecided (our set-up failed, nothing was judged, or the driver does
// not claim a core feature).
func (r *Report) Exit() int {
	undecided := r.Counts.Passed == 0 || len(r.Problems) > 0 || slices.ContainsFunc(r.Profiles, func(p ProfileResult) bool { return len(p.Unclaimed) > 0 })
	for _, res := range slices.Concat(r.Cases, r.Scenarios) {
		if res.State == spec.Fail && res.Counts() == spec.Failed {
			return 1
		}
		undecided = undecided || res.Counts() == spec.Failed
	}
	if undecided {
		return 2
	}
	return 0
}
