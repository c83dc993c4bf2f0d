package cases

import (
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/unilb/unilb/conformance/suite"
)

func TestDeclarationsAreComplete(t *testing.T) {
	if err := suite.Validate(All()); err != nil {
		t.Fatal(err)
	}
	for _, c := range All() {
		if c.Objects != "" {
			if n := len(txtar.Parse([]byte(c.Objects)).Files); n == 0 {
				t.Errorf("%s: its archive holds no objects", c.ID)
			}
		}
		if !strings.HasSuffix(c.Title, ".") {
			t.Errorf("%s: the title is not a sentence: %q", c.ID, c.Title)
		}
	}
}
