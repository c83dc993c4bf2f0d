package driver

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/unilb/unilb/conformance/model"
)

// TestExampleOfTheDocumentationIsTrue renders the template of docs/drivers.md for
// the objects there.
func TestExampleOfTheDocumentationIsTrue(t *testing.T) {
	text, err := os.ReadFile("../../docs/drivers.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "### What templates see")
	blocks := strings.Split(section, "\n```\n")
	if !found || len(blocks) < 6 {
		t.Fatalf("got %d parts of the section, want objects, template and result", len(blocks))
	}
	objects, tmpl, want := blocks[1], blocks[3]+"\n", blocks[5]
	var given []model.Object
	for i, line := range strings.Split(objects, "\n") {
		name, body, _ := strings.Cut(line, " ")
		kind, id, _ := strings.Cut(name, "/")
		given = append(given, model.Object{Kind: kind, ID: id, Body: []byte(body), Created: int64(i + 1)})
	}
	m, err := model.Build(1, given)
	if err != nil {
		t.Fatal(err)
	}
	got, err := expand("docs", tmpl, ConfigVars{Sample(), m, m.Revision})
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// TestDocumentationNamesEveryKeyAndFunction holds the page against the types.
func TestDocumentationNamesEveryKeyAndFunction(t *testing.T) {
	text, err := os.ReadFile("../../docs/drivers.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	for name := range functions {
		if !strings.Contains(page, "`"+name) {
			t.Errorf("docs/drivers.md does not name the function %s", name)
		}
	}
	for _, key := range keysOf(t) {
		if !strings.Contains(page, "`"+key) {
			t.Errorf("docs/drivers.md does not name the key %s", key)
		}
	}
}

func keysOf(t *testing.T) []string {
	t.Helper()
	var keys []string
	for f := range reflect.TypeFor[Manifest]().Fields() {
		keys = append(keys, f.Tag.Get("yaml"))
	}
	if len(keys) < 15 {
		t.Fatalf("got the keys %q", keys)
	}
	return keys
}
