package jsontree

import (
	"strings"
	"testing"
)

func TestReleasedMapsAreUsedAgain(t *testing.T) {
	members := strings.Repeat(`"x":1,`, few)
	text := `{"a":{"b":{"c":1}},"l":[{"k":1}],"long":{` + members + `"z":1}}`
	for i := range few {
		text = strings.Replace(text, `"x"`, `"x`+strings.Repeat("x", i+1)+`"`, 1)
	}
	d := new(decoder)
	read := func() map[string]any {
		d.scanner = scanner{text: text}
		v, ok := d.value(0)
		if !ok {
			t.Fatalf("%s is not read", text)
		}
		return v.(map[string]any)
	}
	for range 3 {
		d.release(read())
		if got, want := [2]int{len(d.spare[0]), len(d.spare[1])}, [2]int{3, 1}; got != want {
			t.Fatalf("%v maps are spare, want %v", got, want)
		}
	}
	read()
	if n := len(d.spare[0]) + len(d.spare[1]); n > 0 {
		t.Errorf("%d spare maps were not used", n)
	}
	for range 2 * maxSpare {
		d.release(map[string]any{"a": 1})
	}
	if n := len(d.spare[0]); n != maxSpare {
		t.Errorf("%d maps are kept, want no more than %d", n, maxSpare)
	}
}

// Who has not given back the members has them for itself.
func TestMembersBelongToWhoReadThem(t *testing.T) {
	v, given, _ := Decode(`{"z":1}`)
	Release(v.(map[string]any), given)
	_, kept, _ := Decode(`{"a":1}`)
	for range 20 {
		v, members, ok := Decode(`{"b":2,"c":3}`)
		if !ok || len(members) != 2 || members[1] != (Member{"c", "3"}) {
			t.Fatalf("read %q (%v)", members, ok)
		}
		Release(v.(map[string]any), members)
	}
	if kept[0] != (Member{"a", "1"}) {
		t.Errorf("the member has become %q", kept[0])
	}
	if _, members, _ := Decode(`[{"a":1}]`); members != nil {
		t.Errorf("a list has the members %q", members)
	}
}
