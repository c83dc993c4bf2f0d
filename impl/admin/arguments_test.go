package admin

import "testing"

func TestNumbersAreReadAsLuaReadsThem(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{
		"10": 10, " 10\t": 10, "1.5": 1.5, ".5": .5, "5.": 5, "1e1": 10, "-3": -3, "+3": 3, "010": 10,
		"0x10": 16, "0XfF": 255, "-0x10": -16, "0x1.8": 1.5, "0x1p4": 16,
	} {
		if n, ok := number(text); !ok || n != want {
			t.Errorf("%q: got %v, %t, want %v", text, n, ok, want)
		}
	}
	for _, text := range []string{"", " ", "x", "1_0", "0x_10", "0x1_0", "0x", "1x", "0x1g", "0x1p", "1p4", "p0", "1 0", "10s", "\u00a010", "nan", "inf", "0x1p0x"} {
		if n, ok := number(text); ok {
			t.Errorf("%q: got %v, want that it is no number", text, n)
		}
	}
}
