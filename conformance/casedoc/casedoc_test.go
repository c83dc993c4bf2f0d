package casedoc

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

func TestPageSaysAllThatThereIsToReadAboutACase(t *testing.T) {
	e := Declared(spec.Case{
		ID: "A-ONE", Title: "A <b> holds.", Level: spec.Should, Needs: []spec.Feature{spec.RouteURI, spec.RouteHost}, Env: []spec.Capability{spec.VPC},
		After: []string{"A-ZERO"}, Refs: []string{"RFC 9110 1|2", "y_z"}, Timeout: 90 * time.Second, Backends: 2, Objects: "\n-- routes/{{.ID}} --\n{}\n",
	})
	e.Source, e.Catches, e.Bugs, e.Mutants = "conformance/cases/a.go", "Catches *it*.", []string{"lies"}, []Mutant{{"01-x", "x", "conformance/mutants/01-x.patch"}}
	page := e.Markdown()
	for _, want := range []string{
		"# A-ONE\n", `A \<b> holds.`, "| level | should |", "L7-ROUTING, core", "`route.uri` `route.host`", "`vpc`", "[A-ZERO](A-ZERO.md)", `RFC 9110 1\|2; y\_z`,
		"1m30s", "Echo backends: 2.", "```\n-- routes/{{.ID}} --\n{}\n```", `Catches \*it\*.`, "* lies", "[01-x](../../conformance/mutants/01-x.patch): x", "`lbsim conform --case A-ONE`",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	e.Bugs, e.Mutants = nil, nil
	if page := e.Markdown(); !strings.Contains(page, "None yet") || e.Proved() {
		t.Errorf("a case without a proof looks proved:\n%s", page)
	}
}

func TestEmbeddedEntriesAreThere(t *testing.T) {
	if len(All()) < 20 {
		t.Fatalf("got %d entries, want 20 at least", len(All()))
	}
	for _, e := range All() {
		if got, ok := Find(e.ID); !ok || got.Title != e.Title || e.Catches == "" || e.Source == "" || !slices.Contains(spec.Features(), e.Features[0]) {
			t.Errorf("%s: got %+v", e.ID, e)
		}
	}
	if _, ok := Find("NO-SUCH"); ok {
		t.Error("found a case that there is not")
	}
	if _, err := decode([]byte("[{]")); err == nil {
		t.Error("broken JSON was taken")
	}
}
