package main

import (
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/unilb/unilb/conformance/casedoc"
	"github.com/unilb/unilb/conformance/spec"
)

var ids = []string{"A-ONE", "A-TWO", "A-THREE", "B-FOUR"}

// repo is a source tree with every way in which cases are declared and proved.
func repo() fstest.MapFS {
	file := func(lines ...string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(strings.Join(lines, "\n"))} }
	return fstest.MapFS{
		"cases/a/one.go": file("package a", "// weight is no case.", "const weight = 1", "// Catches a gateway",
			"// that lies.", "//", "// And another.", `var one = spec.Case{ID: "A-ONE", Title: "A-TWO"}`),
		"cases/a/two.go": file("package a", "var (", "	// Catches two.", `	two = spec.Case{ID: "A-TWO"}`, ")"),
		"cases/b/made.go": file("package b", "// Catches what is made.", `func made() spec.Case { return spec.Case{ID: "B-FOUR"} }`,
			"// Not a case of ours.", `var other = spec.Case{ID: "C-OTHER"}`),
		"cases/a/bare_test.go":    file("package a", "// In a test.", `var x = spec.Case{ID: "A-THREE"}`),
		"cases/a/proof_x_test.go": file("package a", `var bugs = map[string][]string{"A-ONE": {"lies", "lies", "sleeps"}, "C-OTHER": {"no"}}`),
		"cases/b/proof_test.go":   file("package b", `var bugs = []struct{ id, bug string }{}`, `var more = map[string][]bug{"B-FOUR": {{"made up", f}}}`),
		"mutants/01-x.patch":      file("Title: x: is bad", "Catch: case A-ONE", "Also: case B-FOUR", "", "diff --git a/x b/x", " Catch: case A-TWO"),
		"record/001-z.patch":      file("Title: z", "Catch: case A-TWO", "Found: by chance", "", "diff --git a/x b/x"),
		"mutants/02-y.patch":      file("Title: y", "Catch: scenario why", "Says: z", "", "diff --git a/x b/x"),
	}
}

func TestSourceSaysWhereWhyAndWhichBugs(t *testing.T) {
	got, err := readSource(repo(), "cases", ids)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]said{
		"A-ONE":  {"cases/a/one.go", "Catches a gateway that lies.\n\nAnd another.", []string{"lies", "sleeps"}},
		"A-TWO":  {"cases/a/two.go", "Catches two.", nil},
		"B-FOUR": {"cases/b/made.go", "Catches what is made.", []string{"made up"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestMutantsNameTheCaseThatCatchesThem(t *testing.T) {
	got, err := readMutants(repo(), ids, "mutants", "record")
	x := casedoc.Mutant{Name: "01-x", Title: "x: is bad", Patch: "mutants/01-x.patch"}
	want := map[string][]casedoc.Mutant{"A-ONE": {x}, "B-FOUR": {x}, "A-TWO": {{Name: "001-z", Title: "z", Patch: "record/001-z.patch"}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if _, err := readMutants(repo(), ids[1:], "mutants", "record"); err == nil || !strings.Contains(err.Error(), "no case is called A-ONE") {
		t.Errorf("a catcher that is no case: got %v", err)
	}
}

func TestCheckNamesTheFileThatIsOutOfDate(t *testing.T) {
	entries := []casedoc.Entry{{ID: "A-ONE", Title: "It holds.", Level: spec.Must, Profile: "L7-ROUTING", Refs: []string{"x"}, Catches: "y", Bugs: []string{"z"}}}
	files, err := render(entries)
	if err != nil {
		t.Fatal(err)
	}
	have := func(edit func(fstest.MapFS)) error {
		tree := fstest.MapFS{}
		for name, b := range files {
			tree[name] = &fstest.MapFile{Data: b}
		}
		tree[casedoc.Pages+"/by-hand.md"] = &fstest.MapFile{Data: []byte("# Not generated\n")}
		edit(tree)
		stale, err := stalePages(tree, files)
		if err != nil {
			t.Fatal(err)
		}
		return compare(tree, files, stale)
	}
	page := entries[0].Page()
	for name, c := range map[string]struct {
		edit func(fstest.MapFS)
		want string
	}{
		"nothing": {func(fstest.MapFS) {}, ""},
		"edited":  {func(m fstest.MapFS) { m[page] = &fstest.MapFile{Data: []byte(casedoc.Generated)} }, page + " is not what"},
		"missing": {func(m fstest.MapFS) { delete(m, casedoc.File) }, casedoc.File},
		"gone":    {func(m fstest.MapFS) { m[casedoc.Pages+"/OLD.md"] = &fstest.MapFile{Data: files[page]} }, "OLD.md is about a case that is gone"},
	} {
		err := have(c.edit)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}
