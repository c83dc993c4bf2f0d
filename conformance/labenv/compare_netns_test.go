//go:build netns

package labenv

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/conformance/compare"
	"github.com/unilb/unilb/sim/sandbox"
)

// compared compares two programs of our gateway in a small lab.
func compared(t *testing.T, base, head string, change func(*CompareOptions)) *compare.Comparison {
	t.Helper()
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	o := CompareOptions{
		Options: Options{
			BinDir: bin, Topology: "hello", Out: filepath.Join(t.TempDir(), "out"), Require: []string{},
			Cases: []string{"ROUTE-EXACT", "ROUTE-HOST", "ROUTE-METHOD", "HDR-HOP-BY-HOP", "HDR-XFF", "BODY-INTACT", "LB-WEIGHTED", "RELOAD-DELETE-EFFECT", "RETRY-CONNECT-REFUSED"}, Stdout: &said, Stderr: &said,
		},
		Base: base, Head: head,
	}
	if change != nil {
		change(&o)
	}
	c, code, err := Compare(t.Context(), o)
	if err != nil || c == nil || code != c.Exit() {
		t.Fatalf("got exit %d, %v, %+v\n%s", code, err, c, said.String())
	}
	return c
}

// text is what a terminal shows.
func text(t *testing.T, c *compare.Comparison) string {
	t.Helper()
	var b strings.Builder
	if err := c.Text(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTheSameBuildTwiceIsNoRegression(t *testing.T) {
	t.Parallel()
	sandbox.Require(t, sandbox.CapNetNS)
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	gw := filepath.Join(bin, "l7gw")
	c := compared(t, gw, gw, func(o *CompareOptions) { o.Pairs, o.Lasting = 1, loadWarm })
	if c.Verdict != compare.NoRegression || len(c.Differences) > 0 || c.Cases != 9 || len(c.Problems) > 0 {
		t.Errorf("the same build twice:\n%s", text(t, c))
	}
	if len(c.Figures) == 0 || c.Figures[0].Verdict != compare.NoEvidence {
		t.Errorf("one pair of loads gives figures %+v, want no evidence", c.Figures)
	}
}

// Loads have labs of their own: what a gateway does there must not be forgotten.
func TestGatewayThatDiesUnderALoadHasRegressed(t *testing.T) {
	t.Parallel()
	sandbox.Require(t, sandbox.CapNetNS)
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	gw, bad := filepath.Join(bin, "l7gw"), filepath.Join(t.TempDir(), "l7gw")
	// It is started once for the cases, once with the lab of the loads, and then for each load.
	script := "#!/bin/sh\necho >>" + bad + ".starts\n[ $(wc -l <" + bad + ".starts) -gt 2 ] && (sleep 1; kill -9 $$) &\nexec " + gw + " \"$@\"\n"
	if err := os.WriteFile(bad, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	c := compared(t, gw, bad, func(o *CompareOptions) { o.Cases, o.Pairs, o.Lasting = []string{"ROUTE-EXACT"}, 2, time.Second })
	var died bool
	for _, d := range c.Differences {
		died = died || d.Kind == compare.Regressed && slices.Equal(d.Cases, []string{lifeRow})
	}
	if !died || c.Verdict != compare.Regression {
		t.Errorf("want %s regressed, got\n%s", lifeRow, text(t, c))
	}
}

func TestTwoGatewaysThatDoNotStartAreNotCalledEqual(t *testing.T) {
	t.Parallel()
	sandbox.Require(t, sandbox.CapNetNS)
	bad := filepath.Join(t.TempDir(), "l7gw")
	if err := os.WriteFile(bad, []byte("#!/bin/sh\nexit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	var out string
	c := compared(t, bad, bad, func(o *CompareOptions) { out = o.Out })
	past := compared(t, filepath.Join(out, "base"), filepath.Join(out, "head"), nil)
	for _, x := range []*compare.Comparison{c, past} {
		if x.Verdict != compare.Open || !slices.Contains(x.Problems, nonePassed) {
			t.Errorf("want undecided, got\n%s", text(t, x))
		}
	}
}

func TestAMutantDiffersByExactlyWhatItDoesWrong(t *testing.T) {
	t.Parallel()
	sandbox.Require(t, sandbox.CapNetNS)
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	bad := mutant(t, "05-gateway-hides-client")
	var out string
	c := compared(t, filepath.Join(bin, "l7gw"), bad, func(o *CompareOptions) { out = o.Out })
	var regressed, changed []string
	for _, d := range c.Differences {
		switch d.Kind {
		case compare.Regressed:
			regressed = append(regressed, d.Cases...)
		case compare.Changed:
			changed = append(changed, string(d.Meaning)+" "+d.What)
		default:
			t.Errorf("it is also %s: %v", d.Kind, d)
		}
	}
	slices.Sort(changed)
	want := []string{"header header at the backend: x-forwarded-for", "header header at the backend: x-real-ip"}
	if !slices.Equal(regressed, []string{"HDR-XFF"}) || !slices.Equal(slices.Compact(changed), want) || c.Verdict != compare.Regression {
		t.Errorf("regressed %q, changed %q, want HDR-XFF and %q\n%s", regressed, changed, want, text(t, c))
	}

	// The two runs that it left compare as the builds did, at any later time.
	past := compared(t, filepath.Join(out, "base"), filepath.Join(out, "head"), nil)
	if len(past.Differences) != len(c.Differences) || past.Verdict != c.Verdict || past.Cases != c.Cases {
		t.Errorf("the builds:\n%s\nthe runs that they left:\n%s", text(t, c), text(t, past))
	}
}

// mutant builds a known-bad gateway as tools/prove does.
func mutant(t *testing.T, name string) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	patch := filepath.Join(root, "conformance", "mutants", name+".patch")
	b, err := os.ReadFile(patch)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	replace := map[string]string{}
	for line := range strings.Lines(string(b)) {
		rest, ok := strings.CutPrefix(line, "diff --git a/")
		if !ok {
			continue
		}
		file, _, _ := strings.Cut(rest, " ")
		good, err := os.ReadFile(filepath.Join(root, file))
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, file), good, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(root, file)] = filepath.Join(dir, file)
	}
	apply := exec.Command("git", "apply", "--whitespace=nowarn", patch)
	apply.Dir = dir
	apply.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir), "GIT_DIR="+filepath.Join(dir, "none"))
	if out, err := apply.CombinedOutput(); err != nil {
		t.Fatalf("apply %s: %v\n%s", name, err, out)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "l7gw")
	if out, err := exec.Command("go", "build", "-trimpath", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, "github.com/unilb/unilb/cmd/l7gw").CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, out)
	}
	return program
}
