package admin

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// What is put together by hand is what encoding/json makes of it.
func TestTheBodyAfterAWriteIsThatOfEncodingJSON(t *testing.T) {
	for _, body := range []written{
		{Key: "/apisix/routes/1", Value: json.RawMessage(`{"id":"1","uri":"/<é>&"}`)},
		{Key: "/a \"b\"\\\u2028<é>&\n", Value: json.RawMessage(`[]`)},
	} {
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		if err := e.Encode(body); err != nil {
			t.Fatal(err)
		}
		if got, err := encoded(body); err != nil || string(got) != want.String() {
			t.Errorf("got %s (%v), want %s", got, err, want.String())
		}
		extended := strings.TrimSuffix(want.String(), "}\n") + `,"error_msg":"behind"}` + "\n"
		if got, err := encoded(body.with(&outcome{Error: "behind"})); err != nil || string(got) != extended {
			t.Errorf("got %s (%v), want %s", got, err, extended)
		}
	}
}
