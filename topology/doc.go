// Package topology owns the description of a lab: the file that a user writes
// (Spec), the names of what is in it (Ref, Selector) and everything that
// follows from it (Plan): namespaces, links, addresses, routes, processes.
//
// It is pure. It opens no socket, starts nothing, needs no root and knows no
// clock: the same file and seed give the same Plan, byte for byte, so a plan
// can be read, compared and tested before anything is built. What builds it is
// the lab.
//
// Every error that a file can cause names file, line and column, and all of
// them come at once (Errors).
//
// A Spec may be changed by its owner until Plan is called; a Plan is immutable.
// Any number of goroutines may read the same Plan.
package topology
