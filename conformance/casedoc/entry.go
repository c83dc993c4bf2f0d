package casedoc

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

// File is where the entries are kept, from the root of the repository.
const File = "conformance/casedoc/cases.json"

// Pages is the directory of the generated pages, from the root of the repository.
const Pages = "docs/cases"

//go:embed cases.json
var file []byte

// An Entry is what there is to read about a case.
type Entry struct {
	ID       string            `json:"id"`
	Title    string            `json:"title"`
	Level    spec.Level        `json:"level"`
	Profile  string            `json:"profile"`
	Core     bool              `json:"core"` // about a core feature of its profile
	Features []spec.Feature    `json:"features"`
	Env      []spec.Capability `json:"env,omitempty"`   // what the place must offer
	After    []string          `json:"after,omitempty"` // cases that it builds on
	Refs     []string          `json:"refs"`
	Timeout  string            `json:"timeout"`
	Backends int               `json:"backends,omitempty"`
	Objects  string            `json:"objects,omitempty"` // txtar of Admin objects, as templates
	Source   string            `json:"source"`            // file that declares it
	Catches  string            `json:"catches"`           // the comment above it
	Bugs     []string          `json:"bugs,omitempty"`    // of the reference gateway, with each of which it is red
	Mutants  []Mutant          `json:"mutants,omitempty"` // known-bad builds that it must catch
}

// A Mutant is a known-bad build: one of conformance/mutants, or a bug of the track
// record.
type Mutant struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Patch string `json:"patch"` // from the root of the repository
}

// Declared is the part of an entry that the case itself says.
func Declared(c spec.Case) Entry {
	timeout := c.Timeout
	if timeout == 0 {
		timeout = spec.DefaultTimeout
	}
	return Entry{
		ID: c.ID, Title: c.Title, Level: c.Level, Profile: spec.ProfileOf(c), Core: spec.Blocking(c), Features: c.Needs, Env: c.Env, After: c.After, Refs: c.Refs,
		Timeout: timeout.Round(time.Second).String(), Backends: c.Backends, Objects: c.Objects,
	}
}

// All are the entries, in the order of a report.
var All = sync.OnceValue(func() []Entry {
	entries, err := decode(file)
	if err != nil {
		panic(err) // the file is part of this program, and a test reads it
	}
	return entries
})

func decode(b []byte) ([]Entry, error) {
	var entries []Entry
	if err := json.Unmarshal(b, &entries); err != nil {
		return nil, fmt.Errorf("read %s: %w", File, err)
	}
	return entries, nil
}

// Find is the entry of a case.
func Find(id string) (Entry, bool) {
	i := slices.IndexFunc(All(), func(e Entry) bool { return e.ID == id })
	if i < 0 {
		return Entry{}, false
	}
	return All()[i], true
}

// Page is where the page of the case is, from the root of the repository.
func (e Entry) Page() string { return Pages + "/" + e.ID + ".md" }

// Proved says whether something shows that the case can be red.
func (e Entry) Proved() bool { return len(e.Bugs)+len(e.Mutants) > 0 }

// Paged is an entry that also says where its page is.
type Paged struct {
	Entry
	Page string `json:"page"`
}

// WithPage adds where the page is.
func (e Entry) WithPage() Paged { return Paged{e, e.Page()} }
