package apisix_test

import (
	"reflect"
	"testing"

	"github.com/unilb/unilb/impl/apisix"
)

func TestReleaseLeavesWhatOthersShare(t *testing.T) {
	const text = `{"uri":"/","labels":{"a":"b"}}`
	with := func(o *apisix.Object) (*apisix.Object, error) { return o.With(map[string]any{"id": "1"}) }
	without := func(o *apisix.Object) (*apisix.Object, error) { return o.Without("uri") }
	for name, copied := range map[string]func(*apisix.Object) (*apisix.Object, error){"with": with, "without": without} {
		for _, first := range []string{"copy", "original"} {
			o, err := apisix.Parse([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			c, err := copied(o)
			if err != nil {
				t.Fatal(err)
			}
			left := c
			if first == "copy" {
				c.Release()
				left = o
			} else {
				o.Release()
			}
			if got, want := left.Value("labels"), any(map[string]any{"a": "b"}); !reflect.DeepEqual(got, want) {
				t.Errorf("%s, the %s released: labels are %v, want %v", name, first, got, want)
			}
		}
	}
	tree := map[string]any{"labels": map[string]any{"a": "b"}}
	o, err := apisix.FromTree(tree)
	if err != nil {
		t.Fatal(err)
	}
	if o.Release(); len(tree) != 1 {
		t.Errorf("the tree of another was taken: %v is left", tree)
	}
}

func TestReleaseGivesBackATreeOfNobodyElse(t *testing.T) {
	o, err := apisix.Parse([]byte(`{"uri":"/"}`))
	if err != nil {
		t.Fatal(err)
	}
	if o.Release(); o.Tree() != nil {
		t.Errorf("%v was not given back", o.Tree())
	}
}
