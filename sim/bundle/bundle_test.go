package bundle

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/check"
)

func made(t *testing.T, root, name string, at time.Time, seed uint64) *Bundle {
	t.Helper()
	b, err := Create(root, name, at, seed)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.WriteYAML(RunFile, Run{Name: name, Seed: seed, Started: at}); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRunsAreFoundByPathNameAndAsLatest(t *testing.T) {
	root := t.TempDir()
	at := time.Date(2026, 3, 2, 10, 14, 5, 0, time.UTC)
	old := made(t, root, "az-loss", at, 42)
	other := made(t, root, "mtu", at.Add(time.Minute), 7)
	newest := made(t, root, "az-loss", at.Add(2*time.Minute), 42)
	again := made(t, root, "az-loss", at.Add(2*time.Minute), 42) // the same second
	for name, want := range map[string]*Bundle{
		"latest": again, "az-loss": again, "mtu": other, "az-loss/2026-03-02T10-14-05-42": old,
		old.Dir: old, newest.Dir: newest, filepath.Join(root, "mtu", "latest"): other,
	} {
		b, err := Find(root, name)
		if err != nil {
			t.Errorf("Find(%q): %v", name, err)
			continue
		}
		if got, _ := filepath.EvalSymlinks(want.Dir); b.Dir != got {
			t.Errorf("Find(%q) = %s, want %s", name, b.Dir, got)
		}
	}
	_, err := Find(root, "az-los")
	var missing *NotFound
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "az-loss/2026-03-02T10-16-05-42") {
		t.Errorf("Find of a run that is not there: %v", err)
	}
	if got := List(root, 10); len(got) != 4 || got[3] != "az-loss/2026-03-02T10-14-05-42" {
		t.Errorf("List: %v", got)
	}
}

func TestFilesAreWrittenWholeOrNotAtAll(t *testing.T) {
	b := made(t, t.TempDir(), "x", time.Now(), 1)
	if err := b.WriteText("etcd/bj.json", "first"); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the disk is full")
	err := b.Write("etcd/bj.json", func(w io.Writer) error { _, _ = io.WriteString(w, "half"); return broken })
	if !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	if text, _ := b.Read("etcd/bj.json"); string(text) != "first" {
		t.Errorf("the file holds %q", text)
	}
	if left, _ := os.ReadDir(b.Path("etcd")); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestDamagedFilesAreNamed(t *testing.T) {
	b := made(t, t.TempDir(), "x", time.Now(), 1)
	for name, read := range map[string]func(string) error{
		"a.yaml": func(n string) error { var v Run; return b.ReadYAML(n, &v) },
		"a.json": func(n string) error { var v Run; return b.ReadJSON(n, &v) },
		"none":   func(n string) error { _, err := b.Read(n); return err },
	} {
		if name != "none" {
			if err := b.WriteText(name, "{ not: [closed"); err != nil {
				t.Fatal(err)
			}
		}
		var damaged *Damaged
		if err := read(name); !errors.As(err, &damaged) || damaged.Path != b.Path(name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerdictsComeBackAsTheyWereWritten(t *testing.T) {
	b := made(t, t.TempDir(), "x", time.Now(), 1)
	want := Verdict{Result: Wrong, Failed: "recovers: not within 15s", Rerun: "lbsim rerun x",
		Verdicts: []check.Verdict{{Check: "NoRequestLost", State: check.Invalid, Examined: 7, Summary: "3 lost",
			Evidence: []check.Evidence{{Op: "a1", At: 1500 * time.Millisecond, Text: "GET /: reset"}}}}}
	if err := b.WriteYAML(VerdictFile, want); err != nil {
		t.Fatal(err)
	}
	var got Verdict
	if err := b.ReadYAML(VerdictFile, &got); err != nil {
		t.Fatal(err)
	}
	if got.Result != want.Result || len(got.Verdicts) != 1 || got.Verdicts[0].State != check.Invalid ||
		got.Verdicts[0].Evidence[0] != want.Verdicts[0].Evidence[0] {
		text, _ := b.Read(VerdictFile)
		t.Errorf("got %+v\nfrom\n%s", got, text)
	}
}

func TestNothingJudgedIsUndecided(t *testing.T) {
	valid, unknown, invalid := check.Verdict{State: check.Valid, Examined: 1}, check.Verdict{}, check.Verdict{State: check.Invalid}
	for _, tt := range []struct {
		v    Verdict
		want Result
	}{
		{Verdict{}, Undecided},
		{Verdict{Verdicts: []check.Verdict{valid}}, Good},
		{Verdict{Verdicts: []check.Verdict{valid, unknown}}, Undecided},
		{Verdict{Verdicts: []check.Verdict{valid, unknown, invalid}}, Wrong},
		{Verdict{Verdicts: []check.Verdict{valid}, Problems: []string{"evidence"}}, Undecided},
		{Verdict{Verdicts: []check.Verdict{valid}, Failed: "steady"}, Wrong},
		{Verdict{Verdicts: []check.Verdict{valid, invalid}, Interrupted: true}, Undecided},
	} {
		if got := Sum(tt.v); got != tt.want {
			t.Errorf("Sum(%+v) = %s, want %s", tt.v, got, tt.want)
		}
	}
}
