package fnat

import "testing"

func TestPinNamesComeBack(t *testing.T) {
	for _, i := range []Interface{{"fnat0", 7}, {"eth0.100", 12}, {"a-b", 3}, {"50%", 1}} {
		got, ok := parsePinName(i.pinName())
		if !ok || got != i {
			t.Errorf("%v became %q and then %v, %v", i, i.pinName(), got, ok)
		}
	}
	for _, s := range []string{"", "x", "-3", "x-", "x-0", "x-y", "guests"} {
		if i, ok := parsePinName(s); ok {
			t.Errorf("%q is taken for %v", s, i)
		}
	}
}
