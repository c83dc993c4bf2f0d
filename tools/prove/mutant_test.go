package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

const good = `Title: the gateway ignores deletes
Build: l7gw
Catch: case RELOAD-DELETE-EFFECT
Replace: impl/x/x.o

diff --git a/impl/x/x.go b/impl/x/x.go
--- a/impl/x/x.go
+++ b/impl/x/x.go
@@ -1,3 +1,3 @@
 package x
 
-const a = 1
+const a = 2
`

func TestMutantHeadIsRead(t *testing.T) {
	ms, err := ReadMutants(fstest.MapFS{"02-b.patch": {Data: []byte(good)}, "01-a.patch": {Data: []byte(good)}, "README": {}})
	if err != nil {
		t.Fatal(err)
	}
	if len(ms) != 2 || ms[0].Name != "01-a" {
		t.Fatalf("got %+v, want 01-a then 02-b", ms)
	}
	m := ms[0]
	if m.Build != "l7gw" || m.Catch.String() != "case RELOAD-DELETE-EFFECT" || m.Replace[0] != "impl/x/x.o" || m.Files[0] != "impl/x/x.go" {
		t.Errorf("got %+v", m)
	}
}

func TestBadMutantHeadsAreRefused(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"no build", "Build: l7gw\n", "", "lacks a line 'Build: ...'"},
		{"unknown key", "Build:", "Bild:", `unknown head line "Bild"`},
		{"unknown catcher", "case RELOAD", "hope RELOAD", "Catch wants 'case ID', 'scenario TEXT', 'incident NAME' or 'test PACKAGE NAME'"},
		{"scenario without its words", "case RELOAD-DELETE-EFFECT", "scenario a gateway", "lacks a line 'Says: ...'"},
		{"no change", "diff --git", "nothing", "changes no file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parseMutant("x", []byte(strings.Replace(good, c.old, c.new, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestPatchIsAppliedToACopy(t *testing.T) {
	root, dir := t.TempDir(), t.TempDir()
	file := filepath.Join(root, "impl/x/x.go")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("package x\n\nconst a = 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := parseMutant("x", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	files, err := patched(context.Background(), root, dir, m)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := os.ReadFile(files["impl/x/x.go"])
	old, _ := os.ReadFile(file)
	if !strings.Contains(string(got), "a = 2") || !strings.Contains(string(old), "a = 1") {
		t.Errorf("copy %q, original %q; want the copy changed and the original as it was", got, old)
	}
	if err := os.WriteFile(file, []byte("package x\n\nconst b = 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := patched(context.Background(), root, t.TempDir(), m); err == nil || !strings.Contains(err.Error(), "does not apply") {
		t.Errorf("got %v, want an error that says the patch does not apply", err)
	}
}

func TestTurnsGoRound(t *testing.T) {
	all := make([]Mutant, 8)
	for i := range all {
		all[i].Name = string(rune('a' + i))
	}
	seen := map[string]int{}
	for turn := range 8 {
		for _, m := range (choice{some: 3, turn: turn}).of(all) {
			seen[m.Name]++
		}
	}
	for _, m := range all {
		if seen[m.Name] != 3 {
			t.Errorf("%s ran %d times in eight turns of three, want 3", m.Name, seen[m.Name])
		}
	}
	if got := (choice{only: "c"}).of(all); len(got) != 1 || got[0].Name != "c" {
		t.Errorf("got %v, want c alone", got)
	}
}

// TestEveryPatchApplies finds a bad build that changes to the product have made
// impossible, long before its turn comes.
func TestEveryPatchApplies(t *testing.T) {
	for _, dir := range []string{"../../conformance/mutants", "../../scenarios/record"} {
		ms, err := ReadMutants(os.DirFS(dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range ms {
			if _, err := patched(t.Context(), "../..", t.TempDir(), m); err != nil {
				t.Errorf("%s/%s: %v", dir, m.Name, err)
			}
			if pkg, test, _ := strings.Cut(m.Catch.Name, " "); m.Catch.Kind == "test" && !hasTest(t, "../../"+pkg, test) {
				t.Errorf("%s/%s: there is no test %s in %s", dir, m.Name, test, pkg)
			}
		}
	}
}

// hasTest looks for the function of a test; a part of it is not looked for.
func hasTest(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(dir + "/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	name, _, _ = strings.Cut(name, "/")
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "\nfunc "+name+"(t *testing.T) {") {
			return true
		}
	}
	return false
}
