package main

import (
	"reflect"
	"testing"
)

func TestSeedDecidesWhoIsKilledAndEveryoneIsOnce(t *testing.T) {
	const combinations = 12
	a := kills(7, combinations)
	if !reflect.DeepEqual(a, kills(7, 2*combinations)[:combinations]) {
		t.Errorf("seed 7 gives %v, and others when asked for more", a)
	}
	if reflect.DeepEqual(a, kills(8, combinations)) {
		t.Errorf("seeds 7 and 8 both give %v", a)
	}
	type who struct{ verb, victim string }
	met := map[who]bool{}
	for _, f := range a {
		met[who{f.verb, f.victim}] = true
		if f.when < 0 || f.when >= 1 {
			t.Errorf("%+v is not within the verb", f)
		}
	}
	if len(met) != combinations {
		t.Errorf("%d of %d combinations in as many rounds: %v", len(met), combinations, a)
	}
}
