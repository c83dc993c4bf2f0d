package admin

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/store"
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

// A consumer that changes its key again and again leaves none of the old ones.
func TestMemoryForgetsWhatAnObjectHadBefore(t *testing.T) {
	t.Parallel()
	m := &memory[string]{in: map[string]map[string]bool{}, had: map[string][]string{}}
	x := &holders[string]{remembers: m, of: func(kv store.KV) []string { return strings.Fields(string(kv.Value)) }}
	for n := range 10 {
		x.note(store.KV{Key: "jack", Value: fmt.Appendf(nil, "k%d other", n)})
		x.note(store.KV{Key: "jill", Value: []byte("other")})
	}
	if len(m.in) != 2 || !m.in["k9"]["jack"] || len(m.in["other"]) != 2 || !slices.Equal(m.had["jack"], []string{"k9", "other"}) {
		t.Errorf("got %v, %v", m.in, m.had)
	}
	x.note(store.KV{Key: "jack"})
	if len(m.in) != 1 || len(m.had) != 1 {
		t.Errorf("without anything: got %v, %v", m.in, m.had)
	}
}
