// Package casedoc owns what people read about a case: which statement it is,
// where it comes from, which broken gateway it catches, and the proof that it
// does. The pages under docs/cases, lbsim and reports show the same.
//
// It knows no case by itself: tools/casegen gathers what declarations, comments,
// proofs and known-bad builds say into cases.json, which is committed and embedded
// here. Entries are plain values and must not be changed.
package casedoc
