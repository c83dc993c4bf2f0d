package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/unilb/unilb/topology/strict/schematest"
)

// judge says what a JSON schema validator finds wrong with a report.
func judge(t *testing.T, src string) error {
	t.Helper()
	return schematest.Compile(t, Schema())(src)
}

func TestSchemaAcceptsReportsAndRefusesOthers(t *testing.T) {
	for name, r := range map[string]*Report{"sample": sample(), "foreign": foreign()} {
		var b bytes.Buffer
		if err := r.YAML(&b); err != nil {
			t.Fatal(err)
		}
		if err := judge(t, b.String()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for name, edit := range map[string]struct{ from, to string }{
			"unknown key":      {"verdict:", "verdikt:"},
			"unknown state":    {"state: pass", "state: splendid"},
			"unknown result":   {"\nresult: ", "\nresult: more-than-"},
			"no unit":          {"took: 84ms", "took: 84"},
			"another kind":     {"ConformanceReport", "Poem"},
			"text for number":  {"seed: 42", "seed: many"},
			"skip of no kind":  {"state: supported", "state: liked"},
			"text for a bool":  {"blocking: true", "blocking: often"},
			"list for mapping": {"counts:\n", "counts: []\nsuite2:\n"},
		} {
			src := strings.Replace(b.String(), edit.from, edit.to, 1)
			if src == b.String() {
				t.Fatalf("%s: %q is not in the report", name, edit.from)
			}
			if judge(t, src) == nil {
				t.Errorf("%s: the schema takes it", name)
			}
		}
	}
}

func TestSealBreaksWhenAReportIsEdited(t *testing.T) {
	var b bytes.Buffer
	if err := sample().YAML(&b); err != nil {
		t.Fatal(err)
	}
	if err := Sealed(b.Bytes()); err != nil {
		t.Errorf("as written: %v", err)
	}
	r, err := Read(bytes.NewReader(b.Bytes()))
	if err != nil || r.Digest == "" {
		t.Fatalf("got digest %q, %v", r.Digest, err)
	}
	var again bytes.Buffer
	if err := r.YAML(&again); err != nil || !bytes.Equal(again.Bytes(), b.Bytes()) {
		t.Errorf("read and written again it is another file (%v)", err)
	}
	for name, c := range map[string]struct{ from, to, want string }{
		"a result":   {"state: fail", "state: pass", "edited"},
		"a comment":  {"kind:", "# fine\nkind:", "edited"},
		"a line":     {"digest:", "problems: []\ndigest:", "edited"},
		"no digest":  {"digest:", "# digest:", "no digest"},
		"after it":   {"digest:", "digest: x\ndigest:", "edited"},
		"empty line": {"\ndigest:", "\n\ndigest:", "edited"},
	} {
		if err := Sealed([]byte(strings.Replace(b.String(), c.from, c.to, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	if err := Sealed(nil); err == nil {
		t.Error("an empty file is sealed")
	}
}
