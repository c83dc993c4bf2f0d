package schema_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/apisix/schema"
)

func value(t testing.TB, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestMessages(t *testing.T) {
	for _, tc := range []struct{ schema, value, want string }{
		{`{"type":"object"}`, `"x"`, `wrong type: expected object, got string`},
		{`{"type":"object"}`, `[1]`, `wrong type: expected object, got table`},
		{`{"type":"string"}`, `{}`, `wrong type: expected string, got table`},
		{`{"type":"string"}`, `1`, `wrong type: expected string, got number`},
		{`{"type":"string"}`, `null`, `wrong type: expected string, got userdata`},
		{`{"type":"integer"}`, `1.5`, `wrong type: expected integer, got number`},
		{`{"type":"integer"}`, `1.0`, ``},
		{`{"type":"integer"}`, `1e3`, ``},
		{`{"type":"number"}`, `true`, `wrong type: expected number, got boolean`},
		{`{"type":["string","number"]}`, `{}`, `wrong type: expected one of string, number, got table`},
		{`{"type":"array"}`, `{}`, ``},
		{`{"type":"object"}`, `[]`, ``},
		{`{"type":"array","minItems":1}`, `{}`, `expect array to have at least 1 items`},
		{`{"required":["uri"]}`, `{}`, `property "uri" is required`},
		{`{"required":["uri"]}`, `{"uri":null}`, ``},
		{`{"additionalProperties":false,"properties":{"a":{}}}`, `{"a":1,"foo":1}`, `additional properties forbidden, found foo`},
		{`{"minLength":1}`, `""`, `string too short, expected at least 1, got 0`},
		{`{"maxLength":2}`, `"abc"`, `string too long, expected at most 2, got 3`},
		{`{"pattern":"^\\*?[a-z.]+$"}`, `"A\"\\"`, `failed to match pattern "^\\*?[a-z.]+$" with "A\"\\"`},
		{`{"pattern":"^\\S+$"}`, `"a\t\r1\n\u007f\u00e9\\ \u0000"`, "failed to match pattern \"^\\\\S+$\" with \"a\\9\\0131\\\n\\127é\\\\ \\0\""},
		{`{"enum":["a",1]}`, `"b"`, `matches none of the enum values`},
		{`{"enum":["a",1]}`, `1.0`, ``},
		{`{"minimum":0}`, `-1`, `expected -1 to be at least 0`},
		{`{"maximum":254}`, `300`, `expected 300 to be at most 254`},
		{`{"exclusiveMinimum":0}`, `0`, `expected 0 to be greater than 0`},
		{`{"exclusiveMaximum":1}`, `1.5`, `expected 1.5 to be smaller than 1`},
		{`{"minimum":0}`, `-1e20`, `expected -1e+20 to be at least 0`},
		{`{"maxItems":1}`, `[1,2]`, `expect array to have at most 1 items`},
		{`{"minProperties":1}`, `{}`, `expect object to have at least 1 properties`},
		{`{"maxProperties":1}`, `{"a":1,"b":1}`, `expect object to have at most 1 properties`},
		{`{"uniqueItems":true}`, `["a","b","a"]`, `expected unique items but items 1 and 3 are equal`},
		{`{"uniqueItems":true}`, `[{"a":1,"b":2},{"b":2.0,"a":1}]`, `expected unique items but items 1 and 2 are equal`},
		{`{"uniqueItems":true}`, `["1",1]`, ``},
		{`{"items":{"type":"string"}}`, `["a",1]`, `failed to validate item 2: wrong type: expected string, got number`},
		{`{"anyOf":[{"required":["a","b"]},{"required":["c"]}]}`, `{}`, `object matches none of the required: ["a","b"] or ["c"]`},
		{`{"anyOf":[{"type":"string"},{"type":"number"}]}`, `{}`, `object matches none of the required`},
		{`{"oneOf":[{"required":["a"]},{"required":["b"]}]}`, `{}`, `value should match only one schema, but matches none`},
		{`{"oneOf":[{"required":["a"]},{"required":["b"]}]}`, `{"a":1,"b":1}`, `value should match only one schema, but matches both schemas 1 and 2`},
		{`{"allOf":[{"type":"string"}]}`, `1`, `allOf 1 failed: wrong type: expected string, got number`},
		{`{"not":{"type":"string"}}`, `"a"`, `value wasn't supposed to match schema`},
		{`{"if":{"type":"string"},"then":{"maxLength":1},"else":{"maximum":1}}`, `"ab"`, `then clause did not match`},
		{`{"if":{"type":"string"},"then":{"maxLength":1},"else":{"maximum":1}}`, `2`, `else clause did not match`},
		{`{"dependencies":{"a":["b"]}}`, `{"a":1}`, `property "b" is required when "a" is set`},
		{`{"dependencies":{"a":{"required":["b"]}}}`, `{"a":1}`, `failed to validate dependent schema for "a": property "b" is required`},
		{`{"patternProperties":{"^x":{"type":"string"}}}`, `{"x1":1}`, `failed to validate x1 (matching "^x"): wrong type: expected string, got number`},
		{`{"additionalProperties":{"type":"string"}}`, `{"k":1}`, `failed to validate additional property k: wrong type: expected string, got number`},
		{`{"properties":{"upstream":{"properties":{"nodes":{"type":"object"}}}}}`, `{"upstream":{"nodes":1}}`,
			`property "upstream" validation failed: property "nodes" validation failed: wrong type: expected object, got number`},
		{`{"$ref":"short"}`, `"abc"`, `string too long, expected at most 1, got 3`},
	} {
		s, err := schema.Compile([]byte(tc.schema), map[string]json.RawMessage{"short": []byte(`{"maxLength":1}`)})
		if err != nil {
			t.Errorf("%s: %v", tc.schema, err)
			continue
		}
		got := ""
		if err := s.Validate(value(t, tc.value)); err != nil {
			got = err.Error()
		}
		if got != tc.want {
			t.Errorf("%s with %s:\ngot  %s\nwant %s", tc.schema, tc.value, got, tc.want)
		}
	}
}

func TestCompileRefusesWhatItWouldIgnore(t *testing.T) {
	defs := map[string]json.RawMessage{"loop": []byte(`{"items":{"$ref":"loop"}}`)}
	for _, doc := range []string{
		`{"multipleOf":2}`, `{"properties":{"a":{"contains":{}}}}`, `{"type":"strnig"}`, `{"pattern":"("}`, `{"format":"date"}`,
		`{"$ref":"unknown"}`, `{"$ref":"loop"}`, `{"required":"a"}`, `{"minimum":"1"}`, `{"anyOf":[]}`, `[]`, `{`,
	} {
		if _, err := schema.Compile([]byte(doc), defs); err == nil {
			t.Errorf("%s compiled", doc)
		}
	}
}

// FuzzUnique compares the search for equal items with the naive one: the first
// pair in the order of its second item.
func FuzzUnique(f *testing.F) {
	f.Add(`["a","a"]`)
	f.Add(`[1,1.0,"1",[1],{"a":1},{"a":1.0},{},[],null,true]`)
	f.Fuzz(func(t *testing.T, text string) {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		var items []any
		if d.Decode(&items) != nil || len(items) > 50 {
			return
		}
		s, err := schema.Compile([]byte(`{"uniqueItems":true}`), nil)
		if err != nil {
			t.Fatal(err)
		}
		dup := false
		for j := range items {
			for i := range j {
				dup = dup || same(items[i], items[j])
			}
		}
		if got := s.Validate(items) != nil; got != dup {
			t.Errorf("%s: duplicates %v, naive says %v", text, got, dup)
		}
	})
}

func same(a, b any) bool {
	switch x := a.(type) {
	case json.Number:
		y, ok := b.(json.Number)
		if !ok {
			return false
		}
		fx, ex := x.Float64()
		fy, ey := y.Float64()
		if ex != nil || ey != nil {
			return x == y
		}
		return fx == fy
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !same(x[i], y[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k := range x {
			if other, ok := y[k]; !ok || !same(x[k], other) {
				return false
			}
		}
		return true
	}
	return a == b
}
