package apisix_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/apisix"
)

func TestNumbersThatDifferAreDifferentIDs(t *testing.T) {
	for n, want := range map[json.Number]string{
		"7": "7", "7.0": "7", "70e-1": "7", "1e2": "100", "9223372036854775807": "9223372036854775807",
		"9223372036854775808": "9223372036854775808", "12345678901234567890": "12345678901234567890", "1e20": "100000000000000000000",
		"1.5e1": "15", "1e63": "1" + strings.Repeat("0", 63), "-12345678901234567890": "-12345678901234567890",
		// no ids
		"1.5": "1.5", "12345678901234567890.5": "12345678901234567890.5", "1e64": "1e64", "1e999999999": "1e999999999", "1e-999999999": "1e-999999999",
	} {
		if got := apisix.IDText(n); got != want {
			t.Errorf("%s: got %q, want %q", n, got, want)
		}
	}
	if got := apisix.IDText("01"); got != "01" {
		t.Errorf("a text: got %q, want it as it is", got)
	}
	for _, v := range []any{nil, true, []any{}, map[string]any{}} {
		if got := apisix.IDText(v); got != "" {
			t.Errorf("%v: got %q, want nothing", v, got)
		}
	}
}
