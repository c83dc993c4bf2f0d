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
	files, err := archives.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	used := 0
	for _, c := range All() {
		if strings.HasPrefix(c.Objects, "missing archive") {
			t.Errorf("%s: %s", c.ID, c.Objects)
		}
		if c.Objects != "" {
			used++
			if n := len(txtar.Parse([]byte(c.Objects)).Files); n == 0 {
				t.Errorf("%s: its archive holds no objects", c.ID)
			}
		}
		if !strings.HasSuffix(c.Title, ".") {
			t.Errorf("%s: the title is not a sentence: %q", c.ID, c.Title)
		}
	}
	if used != len(files) {
		t.Errorf("%d archives, %d of them used", len(files), used)
	}
}
