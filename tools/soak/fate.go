package main

import (
	"math/rand/v2"
)

// What is killed: a command of the user, or who works for it.
const (
	verbUp   = "up"
	verbRun  = "run"
	verbDown = "down"

	theClient     = "lbsim"
	theFirst      = "pid 1"
	theSupervisor = "supervisor"
	aChild        = "child"
	nobody        = ""
)

// A fate is one round: who is killed, and when.
type fate struct {
	verb, victim string
	when         float64 // share of the time that the verb takes, from 0 to 1
	pick         uint64  // which child
}

// kills are the rounds of a seed. Every combination comes once before any comes
// twice.
func kills(seed uint64, rounds int) []fate {
	rng := rand.New(rand.NewPCG(seed, 0x736f616b)) // "soak"
	var deck, out []fate
	for len(out) < rounds {
		if len(deck) == 0 {
			for _, verb := range []string{verbUp, verbRun, verbDown} {
				for _, victim := range []string{theClient, theFirst, theSupervisor, aChild} {
					deck = append(deck, fate{verb: verb, victim: victim})
				}
			}
			rng.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
		}
		next := deck[0]
		deck = deck[1:]
		next.when, next.pick = rng.Float64(), rng.Uint64()
		out = append(out, next)
	}
	return out
}
