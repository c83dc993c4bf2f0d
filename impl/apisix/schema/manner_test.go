package schema

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzQuietAndTellingAgree compares the two ways to look at a value.
func FuzzQuietAndTellingAgree(f *testing.F) {
	s, err := Compile([]byte(`{"type":"object","properties":{"a":{"type":["string","integer"],"minLength":1,"maximum":9},
		"b":{"oneOf":[{"type":"array","items":{"enum":["x","y",1]},"uniqueItems":true,"maxItems":3},{"type":"object","additionalProperties":{"type":"integer","minimum":0}}]},
		"c":{"anyOf":[{"required":["p"]},{"required":["q"]},{"pattern":"^z"}],"not":{"required":["r"]}},
		"d":{"if":{"type":"string"},"then":{"minLength":2},"else":{"type":"null"}}},
		"patternProperties":{"^x-":{"type":"boolean"}},"additionalProperties":false,"minProperties":1,"required":["a"],"dependencies":{"c":["b"]}}`), nil)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{`{"a":"s"}`, `{"a":1.0,"b":["x","x"]}`, `{"a":5,"b":{"k":-1},"c":{"p":1}}`, `{"a":"","c":"z"}`, `{"a":1,"d":"x","x-y":true}`, `{"e":1}`, `[]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		var v any
		if d.Decode(&v) != nil {
			return
		}
		if silently, aloud := s.check(v, quiet), s.check(v, telling); (silently == nil) != (aloud == nil) {
			t.Errorf("%s: quiet says %v, telling says %v", text, silently, aloud)
		}
	})
}
