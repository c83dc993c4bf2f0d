package apisix_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/unilb/unilb/impl/apisix"
)

func TestReleaseLeavesWhatOthersShare(t *testing.T) {
	const text = `{"uri":"/","labels":{"a":"b"}}`
	with := func(o *apisix.Object) (*apisix.Object, error) { return o.With(map[string]any{"id": "1"}) }
	without := func(o *apisix.Object) (*apisix.Object, error) { return o.Without("uri"), nil }
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

func TestAMemberThatIsThereTwiceIsReplacedOrLeftOutAsAWhole(t *testing.T) {
	o, err := apisix.Parse([]byte(`{ "uri":"/a", "id":1, "labels":{"b": 1,"a":2}, "uri":"\/b" }`))
	if err != nil {
		t.Fatal(err)
	}
	with, err := o.With(map[string]any{"uri": "/c", "name": "<n>"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		object *apisix.Object
		want   string
		uri    any
	}{
		{o, `{"id":1,"labels":{"b":1,"a":2},"uri":"/b"}`, "/b"},
		{with, `{"id":1,"labels":{"b":1,"a":2},"name":"<n>","uri":"/c"}`, "/c"},
		{o.Without("uri", "name"), `{"id":1,"labels":{"b":1,"a":2}}`, nil},
		{with.Without("id", "labels"), `{"name":"<n>","uri":"/c"}`, "/c"},
	} {
		if got := string(tc.object.Encode()); got != tc.want {
			t.Errorf("got %s, want %s", got, tc.want)
		}
		if got := tc.object.Value("uri"); got != tc.uri {
			t.Errorf("%s: uri is %v, want %v", tc.want, got, tc.uri)
		}
	}
	if got, want := string(o.Text("uri")), `"\/b"`; got != want {
		t.Errorf("uri was written %s, want %s", got, want)
	}
}

func TestAMemberOfWhatIsNoObjectIsNone(t *testing.T) {
	for text, want := range map[string]any{
		`{"b":{"a":1},"a":2,"\u0061":3}`: json.Number("3"), `{"a":"x","b":1}`: "x", `{"a":[true]}`: []any{true},
		`{"a":null}`: nil, `{"b":1}`: nil, `{"a":1,"b":}`: nil, `{"a":1} x`: nil, `{"a":1`: nil, `[{"a":1}]`: nil, `"a"`: nil, `init_dir`: nil, ``: nil,
	} {
		if got := apisix.MemberOf([]byte(text), "a"); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#v, want %#v", text, got, want)
		}
	}
}
