// Package spec owns the words of conformance: Feature, Capability, Level, Case,
// Profile, Result, and what a case may use while it runs (T and Env).
//
// It knows no driver, no suite, no report and no lab: these import it. A case
// is a value; running, ordering and judging cases is the suite's work. T is safe
// for concurrent use, everything else is plain data.
package spec
