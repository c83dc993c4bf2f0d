package store

import (
	"encoding/json"
	"testing"
)

// The digits are those of `printf 'key\0value' | sha256sum`.
func TestHashOfAnObjectIsTheBeginningOfItsSHA256(t *testing.T) {
	for _, tc := range []struct{ key, value, want string }{
		{"/apisix/routes/1", `{"uri":"/"}`, "dfa4017409a05645"},
		{"/apisix/routes/1", "", "28a90de13276fbee"},
		{"/apisix/routes/", "init_dir", "0000000000000000"},
	} {
		if got := HashOf(tc.key, []byte(tc.value)).String(); got != tc.want {
			t.Errorf("%s = %s: got %s, want %s", tc.key, tc.value, got, tc.want)
		}
	}
}

func TestHashIsReadAsItIsWritten(t *testing.T) {
	b, err := json.Marshal(map[string]Hash{"/d": 0x0012ff})
	if err != nil || string(b) != `{"/d":"00000000000012ff"}` {
		t.Fatalf("got %s, %v", b, err)
	}
	var back map[string]Hash
	if err := json.Unmarshal(b, &back); err != nil || back["/d"] != 0x0012ff {
		t.Errorf("got %v, %v", back, err)
	}
	for _, text := range []string{`"12ff"`, `"000000000000012fg"`, `"+00000000000012f"`, `7`} {
		var h Hash
		if err := json.Unmarshal([]byte(text), &h); err == nil {
			t.Errorf("%s: got %s, want an error", text, h)
		}
	}
}
