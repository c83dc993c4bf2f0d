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
