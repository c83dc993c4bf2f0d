package fault

import (
	"reflect"
	"strings"
	"testing"
)

func TestEveryKindReadsItsOwnExampleAndItsOwnJSON(t *testing.T) {
	for _, k := range Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			words := strings.Fields(strings.ReplaceAll(k.Example, "'", ""))
			f, err := Parse(words[0], words[1:]...)
			if err != nil {
				t.Fatal(err)
			}
			b, err := Encode(f)
			if err != nil {
				t.Fatal(err)
			}
			back, err := Decode(b)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(back, f) {
				t.Errorf("decoded %#v, want %#v", back, f)
			}
			if k.Peer == "" || f.String() == "" {
				t.Error("it does not say what peers see, or what it is")
			}
		})
	}
}

func TestMisspeltFaultsAreExplained(t *testing.T) {
	tests := []struct {
		words, want string
	}{
		{"flood x", `no fault "flood"; there are: kill`},
		{"kill", "on is missing; usage: kill ON [PROCESS]"},
		{"kill a/b gateway now", `one word too many: "now"`},
		{"kill a/b speed=3", `kill has no "speed"`},
		{"kill a/b on=c/d", "on is given twice"},
		{"kill !!", `selector "!!"`},
		{"partition a/b c/d sideways", `direction "sideways"`},
	}
	for _, tt := range tests {
		words := strings.Fields(tt.words)
		_, err := Parse(words[0], words[1:]...)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Parse(%q): got %v, want %q", tt.words, err, tt.want)
		}
	}
}
