package check

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology/strict"
)

var update = flag.Bool("update", false, "rewrite the golden files under testdata")

// Each check has a history on which it says valid, one on which it says invalid
// and at least one on which it says unknown: testdata/<check>/<state>*.txtar holds
// the history as its files have it, the check and the facts; beside it is the
// verdict. A check that changes its mind shows as a difference.
func TestVerdictsOnRecordedHistories(t *testing.T) {
	for _, k := range Kinds() {
		for _, s := range []State{Valid, Invalid, Unknown} {
			paths, err := filepath.Glob(filepath.Join("testdata", k.Name, s.String()+"*.txtar"))
			if err != nil || len(paths) == 0 {
				t.Errorf("%s has no history on which it says %s (%v)", k.Name, s, err)
			}
			for _, path := range paths {
				t.Run(k.Name+"/"+strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
					h, f, specs := recorded(t, path)
					if len(specs) != 1 || specs[0].Kind() != k.Name {
						t.Fatalf("%s holds other checks than one %s", path, k.Name)
					}
					v := JudgeSpecs(h, f, specs)[0]
					if v.State != s {
						t.Errorf("got %s, want %s", v, s)
					}
					golden(t, strings.TrimSuffix(path, ".txtar")+".golden", v)
				})
			}
		}
	}
}

// recorded lays a history down as a run directory and opens it.
func recorded(t *testing.T, path string) (*history.History, Facts, []Spec) {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files := map[string][]byte{"history.json": []byte(`{"start":"2026-03-02T10:14:05Z","lost":0}`)}
	for _, name := range []string{"ops", "arrivals", "writes", "faults", "events"} {
		files[name+".ndjson"] = nil
	}
	var checks []byte
	var f Facts
	for _, x := range archive.Files {
		switch x.Name {
		case "checks.yaml":
			checks = x.Data
		case "facts.json":
			if err := strictly(x.Data, &f); err != nil {
				t.Fatalf("%s: facts.json: %v", path, err)
			}
		default:
			files[x.Name] = x.Data
		}
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	h, err := history.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return h, f, readSpecs(t, path, checks)
}

// readSpecs reads a list of checks as scenario files have it.
func readSpecs(t *testing.T, path string, text []byte) []Spec {
	t.Helper()
	var file struct {
		Checks []Any `yaml:"checks"`
	}
	if _, errs := (strict.Format{Name: "list of checks"}).Decode(path, text, &file); errs.Err() != nil {
		t.Fatal(errs.Err())
	}
	var specs []Spec
	for _, a := range file.Checks {
		if err := a.Value.Spelling(); err != nil {
			t.Fatalf("%s: %s: %v", path, a.Value.Kind(), err)
		}
		specs = append(specs, a.Value)
	}
	return specs
}

func golden(t *testing.T, path string, v Verdict) {
	t.Helper()
	var got bytes.Buffer
	got.WriteString(v.String() + "\n")
	enc := json.NewEncoder(&got)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run go test ./sim/check -update", err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s differs; look at git diff after go test ./sim/check -update\ngot:\n%s", path, got.Bytes())
	}
}
