// Package health owns what the gateway knows about the health of targets: one
// State for each (address, generation, port, check), kept beside snapshots. A
// change of configuration that leaves a target and its check alone leaves its
// state alone; the same address under a new generation is a new target.
//
// Probes begin when an upstream is loaded, not when it is first used. Their
// number in flight is bounded. Nothing here decides who gets traffic: the
// balancer reads State.Usable.
//
// Registry and State are safe for concurrent use. Time comes from package time
// (tests run in a synctest bubble), randomness from Options.
package health
