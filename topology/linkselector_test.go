package topology

import "testing"

func TestLinkSelectorMatchesInEitherOrder(t *testing.T) {
	tests := []struct {
		sel  LinkSelector
		a, b Ref
		want bool
	}{
		{"bj/az1/router--bj/az2/router", "bj/az1/router", "bj/az2/router", true},
		{"bj/az2/router--bj/az1/router", "bj/az1/router", "bj/az2/router", true},
		{"bj/az1/router--bj/az3/router", "bj/az1/router", "bj/az2/router", false},
		{"bj/*/router--bj/edge", "bj/az1/router", "bj/edge", true},
		{"bj/*/router--bj/*/router", "bj/az1/router", "bj/edge", false},
		{"client/*", "client/inet-1", "bj/edge", true},
		{"bj/edge", "client/inet-1", "bj/edge", true},
		{"bj/az1/**", "client/inet-1", "bj/edge", false},
		{"", "client/inet-1", "bj/edge", false},
	}
	for _, tt := range tests {
		if got := tt.sel.Match(tt.a, tt.b); got != tt.want {
			t.Errorf("LinkSelector(%q).Match(%q, %q) = %v, want %v", tt.sel, tt.a, tt.b, got, tt.want)
		}
	}
}

func TestLinkSelectorsThatCanSelectNothingAreNamed(t *testing.T) {
	for _, s := range []LinkSelector{"", "--", "bj/edge--", "--bj/edge", "bj//edge--bj/az1/router", "BJ"} {
		if s.Check() == nil {
			t.Errorf("LinkSelector(%q).Check() = nil, want an error", s)
		}
	}
	for _, s := range []LinkSelector{"bj/edge", "**--client/*", "bj/az1/router--bj/az2/router"} {
		if err := s.Check(); err != nil {
			t.Errorf("LinkSelector(%q).Check() = %v", s, err)
		}
	}
}

func TestLinkSelectorSaysWhichSideItNamesFirst(t *testing.T) {
	tests := []struct {
		sel  LinkSelector
		want bool // for a link from client/inet-1 to bj/edge
	}{
		{"client/*--bj/edge", false},
		{"bj/edge--client/*", true},
		{"client/*", false},
		{"bj/edge", true},
		{"**", false},
		{"**--**", false},
		{"bj/az1/**", false},
	}
	for _, tt := range tests {
		if got := tt.sel.Turned("client/inet-1", "bj/edge"); got != tt.want {
			t.Errorf("LinkSelector(%q).Turned = %v, want %v", tt.sel, got, tt.want)
		}
	}
}
