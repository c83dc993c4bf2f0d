package loop

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/engine/h2"
	"github.com/unilb/unilb/impl/engine/std"
)

// saidHere finds words that this package counts by itself.
var saidHere = regexp.MustCompile(`refused(?:\.count)?\([^\n"]*"(\w+)"\)`)

func TestReasonsOfRefusalsAreThoseOfTheDocument(t *testing.T) {
	code := map[string]bool{handshakeFailed: true}
	for r := range h1.Reason(h1.Reasons) {
		code[r.String()] = r != h1.NoReason
	}
	for r := range h2.Reason(h2.Reasons) {
		code["h2_"+r.String()] = r != h2.NoReason
	}
	for why := range std.New(std.Options{}).Refused() {
		code[why] = true
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	said := 0
	for _, name := range sources {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, m := range saidHere.FindAllStringSubmatch(string(b), -1) {
			code[m[1]] = true
			said++
		}
	}
	if said == 0 {
		t.Error("found no reason that is said here: the expression is wrong")
	}
	maps.DeleteFunc(code, func(_ string, real bool) bool { return !real })

	b, err := os.ReadFile("../../../docs/http.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(b), "\n## Reasons\n")
	section, _, _ = strings.Cut(section, "\n## ")
	document := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(section, -1) {
		if document[m[1]] {
			t.Errorf("docs/http.md has %s twice", m[1])
		}
		document[m[1]] = true
	}
	for _, why := range slices.Sorted(maps.Keys(code)) {
		if !document[why] {
			t.Errorf("docs/http.md lacks the reason %s", why)
		}
	}
	for _, why := range slices.Sorted(maps.Keys(document)) {
		if !code[why] {
			t.Errorf("docs/http.md has the reason %s, which nobody says", why)
		}
	}
}
