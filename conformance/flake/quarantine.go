package flake

import (
	_ "embed"
	"fmt"
	"slices"
	"time"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/topology/strict"
)

// MaxDays is the longest time, in days, for which a case may be in quarantine. Who
// needs longer decides anew.
const MaxDays = 60

// DefaultName is what errors call the quarantine that comes with the suite.
const DefaultName = "conformance/flake/quarantine.yaml"

//go:embed quarantine.yaml
var ours []byte

//go:embed quarantine.schema.json
var quarantineSchema []byte

// QuarantineSchema is the JSON schema of quarantine files.
func QuarantineSchema() []byte { return slices.Clone(quarantineSchema) }

// A Quarantine is a file: the cases that do not block, and the budget.
type Quarantine struct {
	Version string  `yaml:"quarantine" required:"true" enum:"v1"`
	Budget  Budget  `yaml:"budget"`
	Cases   []Entry `yaml:"cases" max:"100"`
}

// A Budget is how much unreliability a run may have and still be decided.
type Budget struct {
	Quarantined int     `yaml:"quarantined" default:"3" min:"0" max:"100"` // cases in quarantine
	Rate        float64 `yaml:"rate" default:"0.01" min:"0" max:"1"`       // flakes in relation to runs of cases, over all cases
}

// An Entry keeps one case from blocking.
type Entry struct {
	Case    string `yaml:"case" required:"true"`
	Reason  string `yaml:"reason" required:"true"`  // what is known, and where it is worked on
	Since   Day    `yaml:"since" required:"true"`   // when it was put here
	Expires Day    `yaml:"expires" required:"true"` // the last day on which it holds; at most 60 days later
}

// A Day is a date in UTC.
type Day struct{ time.Time }

// UnmarshalText reads 2026-03-02.
func (d *Day) UnmarshalText(b []byte) error {
	t, err := time.Parse(time.DateOnly, string(b))
	if err != nil {
		return fmt.Errorf("want a day such as 2026-03-02")
	}
	d.Time = t
	return nil
}

// String is the day as it is written.
func (d Day) String() string { return d.Format(time.DateOnly) }

// Ours reads the quarantine that comes with the suite.
func Ours(known []string, now time.Time) (*Quarantine, error) {
	return Decode(DefaultName, ours, known, now)
}

// Decode reads a quarantine file; name is what errors call it, known are the ids
// of all cases. An entry that has expired is a mistake like any other: they come
// all at once, as strict.Errors with their places.
func Decode(name string, text []byte, known []string, now time.Time) (*Quarantine, error) {
	q := &Quarantine{}
	src, errs := strict.Format{Name: "quarantine", Begin: "quarantine: v1"}.Decode(name, text, q)
	report := src.Report(errs)
	seen := map[string]bool{}
	for i, e := range q.Cases {
		at := func(key string) string { return fmt.Sprintf("cases[%d].%s", i, key) }
		if e.Case != "" && !slices.Contains(known, e.Case) {
			report.Fail(at("case"), "no case is called %s%s", e.Case, strict.DidYouMean(e.Case, known))
		}
		if seen[e.Case] {
			report.Fail(at("case"), "%s is here already", e.Case)
		}
		seen[e.Case] = true
		if e.Since.IsZero() || e.Expires.IsZero() {
			continue // said already
		}
		switch days := int(e.Expires.Sub(e.Since.Time).Hours() / 24); {
		case e.Since.After(now):
			report.Fail(at("since"), "%s: since %s is in the future", e.Case, e.Since)
		case days < 0:
			report.Fail(at("expires"), "%s expires on %s, before it began on %s", e.Case, e.Expires, e.Since)
		case days > MaxDays:
			report.Fail(at("expires"), "%s is in quarantine for %d days; at most %d: mend the case, or decide anew", e.Case, days, MaxDays)
		case !now.Before(e.Expires.AddDate(0, 0, 1)):
			report.Fail(at("expires"), "the quarantine of %s expired on %s: mend the case, or decide anew", e.Case, e.Expires)
		}
	}
	if err := report.Err(); err != nil {
		return nil, err
	}
	return q, nil
}

// Mark notes in the results which cases are in quarantine. What builds on a case
// in quarantine that did not pass is skipped, not unproven: it blocks nobody
// either. Results must be in the order in which they ran.
func (q *Quarantine) Mark(results []spec.Result) {
	down := map[string]bool{}
	for i := range results {
		r := &results[i]
		for _, e := range q.Cases {
			if e.Case == r.Case {
				r.Quarantine = &spec.Quarantine{Reason: e.Reason, Since: e.Since.String(), Expires: e.Expires.String()}
			}
		}
		if r.State == spec.Unproven && r.Reason != nil && down[r.Reason.Case] {
			r.State = spec.Skip
		}
		down[r.Case] = r.Counts() == spec.Skipped && (r.Quarantine != nil || r.Reason != nil && r.Reason.Code == spec.After && down[r.Reason.Case])
	}
}

// Problems say which part of the budget is spent, given the ledger's records or
// none; what they say leaves a run undecided.
func (q *Quarantine) Problems(records []Record) []string {
	var out []string
	if n := len(q.Cases); n > q.Budget.Quarantined {
		out = append(out, fmt.Sprintf("budget: %d cases are in quarantine, at most %d", n, q.Budget.Quarantined))
	}
	if t := Total(Rates(records)); t.Rate() > q.Budget.Rate {
		out = append(out, fmt.Sprintf("budget: %d flakes in %d runs of cases (%.2g %%), at most %.2g %%", t.Flakes, t.Runs, 100*t.Rate(), 100*q.Budget.Rate))
	}
	return out
}
