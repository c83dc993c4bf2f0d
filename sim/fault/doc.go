// Package fault owns incidents: what is broken, how it is broken, and how it is
// mended. A [Fault] is plain data with an idempotent Revert. It is written to a
// [Ledger] before it is applied, so that what a crashed process broke can be found
// and mended by the next one.
//
// The package knows no lab: it acts on a [Target], and each fault says what a peer
// can observe. It never flushes or resets what it did not put there, and never
// judges. Fault values are immutable; Active and Ledger are safe for concurrent
// use.
package fault
