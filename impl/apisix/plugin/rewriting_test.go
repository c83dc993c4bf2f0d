package plugin

import (
	"strings"
	"testing"
)

func TestLongPatternsAreNotRemembered(t *testing.T) {
	remembered := func(pattern string) bool {
		for i := range readable {
			if p := readable[i].Load(); p != nil && *p == pattern {
				return true
			}
		}
		return false
	}
	for size, want := range map[int]bool{maxReadable: true, maxReadable + 1: false, 1 << 20: false} {
		pattern := strings.Repeat("r", size)
		for range 2 {
			if err := checkRegex(pattern); err != nil {
				t.Fatalf("%d bytes: %v", size, err)
			}
		}
		if got := remembered(pattern); got != want {
			t.Errorf("%d bytes: remembered: got %t, want %t", size, got, want)
		}
	}
	if err := checkRegex(strings.Repeat("(", maxReadable+1)); err == nil {
		t.Error("a long pattern is not checked")
	}
}
