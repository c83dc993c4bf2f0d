package fault

import (
	"os"
	"strings"
	"testing"
)

func TestEveryKindHasARowInTheDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/faults.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range Kinds() {
		_, row, ok := strings.Cut(string(text), "\n| `"+k.Name+"` |")
		row, _, _ = strings.Cut(row, "\n")
		if cells := strings.Split(row, "|"); !ok || len(cells) != 6 || strings.TrimSpace(cells[0]) == "" || strings.TrimSpace(cells[1]) == "" {
			t.Errorf("docs/faults.md has no row that says what %s does and what peers see: %q", k.Name, row)
		}
	}
}
