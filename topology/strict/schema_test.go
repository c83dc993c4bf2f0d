package strict_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/unilb/unilb/topology/strict"
)

func TestSchemaAndDecoderAgree(t *testing.T) {
	text, err := strict.Schema(reflect.TypeFor[book](), "Book", func(reflect.Type, string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("book.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("book.json")
	if err != nil {
		t.Fatal(err)
	}
	for src, want := range map[string]bool{
		"{name: a}": true, "{}": false, "{name: ''}": false, "{name: a, nam: b}": false,
		"{name: a, steps: [{at: 3s, deed: once}]}":                               true,
		"{name: a, steps: [{deed: onec}]}":                                       false,
		"{name: a, steps: [{deed: kill}]}":                                       false,
		"{name: a, steps: [{deed: {kill: {on: x, grace: 5}}}]}":                  true,
		"{name: a, steps: [{deed: {kill: {on: x, grace: 6}}}]}":                  false,
		"{name: a, steps: [{deed: {kill: {}}}]}":                                 false,
		"{name: a, steps: [{deed: {kill: {on: x}, once: {}}}]}":                  false,
		"{name: a, steps: [{deed: {}}]}":                                         false,
		"{name: a, steps: [{deed: {impair: {wire: x, loss: 0.5}}}]}":             true,
		"{name: a, steps: [{deed: {impair: {wire: x, loss: 2}}}]}":               false,
		"{name: a, steps: [{deed: {pause: 1m30s}}]}":                             true,
		"{name: a, steps: [{deed: {pause: 90}}]}":                                false,
		"{name: a, steps: [{}, {}, {}, {}]}":                                     false,
		"{name: a, named: {x: {size: 3}}, env: {A: b}, body: {any: [thing, 1]}}": true,
		"{name: a, named: {x: {size: 0}}}":                                       false,
		"{name: a, env: {A: 1}}":                                                 false,
	} {
		j, err := yaml.YAMLToJSON([]byte(src))
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(j))
		if err != nil {
			t.Fatal(err)
		}
		_, _, decoded := decode(t, src)
		if judged := s.Validate(v); (judged == nil) != want || (decoded == nil) != want {
			t.Errorf("%s: the schema says %v, the decoder %v; want both to accept: %t", src, judged, decoded, want)
		}
	}
}
