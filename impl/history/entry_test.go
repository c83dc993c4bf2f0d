package history

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/store"
)

func TestObjectsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(`{"uri":"/<é>"}`, maxPacked)
	for name, tc := range map[string]struct {
		object Object
		begins string // its JSON
	}{
		"none":              {nil, `null`},
		"text":              {Object(`{"uri":"/<a>&é"}`), `"{\"uri\":\"/`},
		"no text":           {Object("\xff\x00\xfe"), `["deflate","`},
		"a long one":        {Object(long), `["deflate","`},
		"a long, no text":   {Object(long + "\xff"), `["deflate","`},
		"one like its JSON": {Object(`["deflate","AAAA"]`), `"[\"deflate`},
	} {
		text, err := json.Marshal(tc.object)
		var back Object
		if err == nil {
			err = json.Unmarshal(text, &back)
		}
		if err != nil || !bytes.Equal(back, tc.object) || (back == nil) != (tc.object == nil) || !strings.HasPrefix(string(text), tc.begins) {
			t.Errorf("%s: got %.60q by way of %.60s (%v), want %.60q by way of %s...", name, back, text, err, tc.object, tc.begins)
		}
		// As a part of an entry it is the same, however that is printed.
		e := Entry{Time: time.Unix(1000, 0).UTC(), Changes: []Change{{Key: "/a", Before: tc.object, Put: tc.object}}}
		printed, err := e.print()
		if err != nil {
			t.Fatal(err)
		}
		marshalled, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range [][]byte{printed, marshalled} {
			if got, err := Parse(store.KV{Value: text}); err != nil || fmt.Sprint(got) != fmt.Sprint(e) {
				t.Errorf("%s: got %.200v by way of %.200s, %v, want %.200v", name, got, text, err, e)
			}
		}
	}
}
