package topology

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParseNeverPanicsAndNamesRealPlaces feeds Parse anything: it must return,
// with a spec that plans or with Errors whose places are inside the file.
func FuzzParseNeverPanicsAndNamesRealPlaces(f *testing.F) {
	for _, glob := range []string{"library/*.yaml", "testdata/errors/*.yaml"} {
		files, err := filepath.Glob(glob)
		if err != nil || len(files) == 0 {
			f.Fatalf("no seeds in %s: %v", glob, err)
		}
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(b), "seed=1")
		}
	}
	f.Add(base, "regions.bj.azs.az1.l7=3")
	f.Add(threeRegionsFile, "clients[1]={name: lan}")
	f.Add(wiredFile, "regions.bj.idc.blue.wire.at[0].flow.src=:1")
	f.Add("lab: a\n\tb: c", "a.b[0][1].c=[x]")
	f.Add("lab: |\r\n  a\r\n", "lab=")
	f.Add("\"lab\": 'é", "guests[0]=null")
	f.Fuzz(func(t *testing.T, src, set string) {
		s, err := Parse("f.yaml", []byte(src), set)
		if err != nil {
			places(t, src, err)
			return
		}
		p, err := s.Plan()
		if err != nil {
			t.Fatalf("a parsed spec has no plan: %v", err)
		}
		_ = p.Summary()
	})
}

func places(t *testing.T, src string, err error) {
	t.Helper()
	var errs Errors
	if !errors.As(err, &errs) || len(errs) == 0 {
		t.Fatalf("%T %v, want Errors", err, err)
	}
	lines := strings.Split(src, "\n")
	for _, e := range errs {
		switch {
		case e.Msg == "":
			t.Errorf("an error without words at %d:%d", e.Line, e.Col)
		case e.Line == 0 && e.Col == 0:
		case e.Line < 1 || e.Line > len(lines):
			t.Errorf("%v: the file has %d lines", e, len(lines))
		case e.Col < 1 || e.Col > utf8.RuneCountInString(lines[e.Line-1])+1:
			t.Errorf("%v: the line has %d characters", e, utf8.RuneCountInString(lines[e.Line-1]))
		}
	}
}
