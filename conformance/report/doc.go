// Package report owns the paper that a run leaves: results and where they come
// from, as YAML (for machines and comparison), JUnit XML (for CI) and one HTML
// page that needs no network, and the summary on the terminal.
//
// It never runs or judges a case; it counts. A Report is a plain value and must
// not change while it is written.
package report
