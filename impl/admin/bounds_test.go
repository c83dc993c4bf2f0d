package admin

import (
	"strings"
	"testing"
)

// What the library makes of a few kilobytes of brackets would be gigabytes.
func TestYAMLThatIsNestedTooDeepIsRefusedBeforeItIsRead(t *testing.T) {
	t.Parallel()
	deep := 60_000
	for name, text := range map[string]string{
		"brackets": strings.Repeat("[", deep), "braces": strings.Repeat("{a: ", deep), "lines of brackets": strings.Repeat("[\n", deep),
		"dashes": strings.Repeat("- ", deep), "question marks": strings.Repeat("? ", deep), "margin": strings.Repeat(" ", deep) + "a",
		"after a key": "a: " + strings.Repeat("[", deep), "in a list": strings.Repeat("[x, ", deep),
	} {
		if _, err := fromYAML([]byte(text)); err == nil || !strings.Contains(err.Error(), "nested more than") {
			t.Errorf("%s: got %v, want that it is too deep", name, err)
		}
	}
	plain := strings.Repeat("- uri: /a\n  vars: [[\"arg_x\", \"~~\", \"[a[b\"]]\n  desc: a[0], {b} and [ ]\n", 5000)
	if _, err := fromYAML([]byte(plain)); err != nil {
		t.Errorf("a long document: %v", err)
	}
}
