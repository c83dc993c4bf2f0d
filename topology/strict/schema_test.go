package strict_test

import (
	"reflect"
	"testing"

	"github.com/unilb/unilb/topology/strict"
	"github.com/unilb/unilb/topology/strict/schematest"
)

func TestSchemaAndDecoderAgree(t *testing.T) {
	text, err := strict.Schema(reflect.TypeFor[book](), "Book", func(reflect.Type, string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	judge := schematest.Compile(t, text)
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
		_, _, decoded := decode(t, src)
		if judged := judge(src); (judged == nil) != want || (decoded == nil) != want {
			t.Errorf("%s: the schema says %v, the decoder %v; want both to accept: %t", src, judged, decoded, want)
		}
	}
}
