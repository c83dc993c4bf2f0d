package compare

import (
	_ "embed"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/conformance/flake"
	"github.com/unilb/unilb/topology/strict"
)

//go:embed allow.schema.json
var allowSchema []byte

// AllowSchema is the JSON schema of allow-lists.
func AllowSchema() []byte { return slices.Clone(allowSchema) }

// AllowList is a file: the differences that somebody has decided to accept, each
// until a day.
type AllowList struct {
	Version     string    `yaml:"allow" required:"true" enum:"v1"`
	Differences []Allowed `yaml:"differences" max:"200"`
}

// Allowed accepts differences. All that it says must fit.
type Allowed struct {
	Name    string    `yaml:"name" required:"true"`                                                                       // what reports call it
	Case    string    `yaml:"case"`                                                                                       // pattern of case ids; empty: any
	Meaning Meaning   `yaml:"meaning" required:"true" enum:"verdict,status,routing,header,body,connection,time,resource"` // what the difference is about
	Match   string    `yaml:"match"`                                                                                      // regular expression that "what: base -> head" matches; empty: any
	Reason  string    `yaml:"reason" required:"true"`                                                                     // why it is wanted, and by whom
	Expires flake.Day `yaml:"expires" required:"true"`                                                                    // the last day on which it holds
}

// DecodeAllow reads an allow-list; name is what errors call it, known are the ids of
// all cases and rows. An entry that has expired is a mistake like any other: they come
// all at once, as strict.Errors with their places.
func DecodeAllow(name string, text []byte, known []string, now time.Time) (*AllowList, error) {
	a := &AllowList{}
	src, errs := strict.Format{Name: "allow-list", Begin: "allow: v1"}.Decode(name, text, a)
	report := src.Report(errs)
	seen := map[string]bool{}
	for i, e := range a.Differences {
		at := func(key string) string { return fmt.Sprintf("differences[%d].%s", i, key) }
		if e.Name != "" && seen[e.Name] {
			report.Fail(at("name"), "%q is here already", e.Name)
		}
		seen[e.Name] = true
		if _, err := path.Match(e.Case, ""); err != nil {
			report.Fail(at("case"), "case pattern %q: %v", e.Case, err)
		} else if e.strange(known) {
			report.Fail(at("case"), "no case has the id %q%s", e.Case, strict.Nearest(e.Case, known))
		}
		if _, err := regexp.Compile(e.Match); err != nil {
			report.Fail(at("match"), "%v", err)
		}
		if !e.Expires.IsZero() && !now.Before(e.Expires.AddDate(0, 0, 1)) {
			report.Fail(at("expires"), "%q (%s: %s) expired on %s: the difference is to be gone, or somebody decides anew", e.Name, e.about(), e.Reason, e.Expires)
		}
	}
	if err := report.Err(); err != nil {
		return nil, err
	}
	return a, nil
}

// about is what the entry accepts, in words.
func (e Allowed) about() string {
	if e.Case == "" {
		return string(e.Meaning)
	}
	return e.Case + ", " + string(e.Meaning)
}

// strange says that the pattern looks like one of case ids, and no case has such an
// id. Titles of scenarios, which are not known here, have spaces or small letters.
func (e Allowed) strange(known []string) bool {
	return e.Case != "" && e.Case == strings.ToUpper(e.Case) && !strings.Contains(e.Case, " ") &&
		!slices.ContainsFunc(known, func(id string) bool { ok, _ := path.Match(e.Case, id); return ok })
}

// fits says whether the entry accepts a difference in one case.
func (e Allowed) fits(d Difference, id string) bool {
	if e.Meaning != d.Meaning {
		return false
	}
	if ok, _ := path.Match(e.Case, id); e.Case != "" && !ok {
		return false
	}
	return e.Match == "" || regexp.MustCompile(e.Match).MatchString(d.Text())
}

// Text is the difference in one line, without its cases.
func (d Difference) Text() string {
	t := d.Base + " -> " + d.Head
	if d.What != "" {
		t = d.What + ": " + t
	}
	return t
}

// mark takes out of each difference the cases in which it is accepted, as
// differences of their own, and returns the names of entries that accepted nothing.
func (a *AllowList) mark(ds []Difference) (marked []Difference, unused []string) {
	if a == nil {
		return ds, nil
	}
	used := map[string]bool{}
	for _, d := range ds {
		if d.Allowed != "" { // by somebody else
			marked = append(marked, d)
			continue
		}
		by := map[string][]string{}
		for _, id := range d.Cases {
			name := ""
			for _, e := range a.Differences {
				if e.fits(d, id) {
					name = e.Name
					used[name] = true
					break
				}
			}
			by[name] = append(by[name], id)
		}
		for _, name := range sortedKeys(by) {
			part := d
			part.Cases, part.Allowed = by[name], name
			marked = append(marked, part)
		}
	}
	for _, e := range a.Differences {
		if !used[e.Name] {
			unused = append(unused, e.Name)
		}
	}
	return marked, unused
}

func sortedKeys(m map[string][]string) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.SortFunc(out, strings.Compare)
	return out
}
