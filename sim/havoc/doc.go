// Package havoc owns random edits of a configuration and random faults of what it
// comes by: which they are follows from a seed, and a [Plan] of them is data. A
// [Content] says what gateways must answer by what a store holds in the end, by a
// model of its own that knows only what a Plan writes.
//
// It is pure: it neither edits nor breaks anything; sim/act does.
package havoc
