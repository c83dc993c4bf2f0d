// Package compare owns the comparison of two builds of a gateway: what clients and
// backends saw of each run of a case (Seen), and which differences between the runs
// of one build and those of the other mean something (Comparison).
//
// Everything in it is a plain value that follows from recorded histories and
// results. It starts nothing, knows no lab, and asks nobody what it thinks of
// itself.
package compare
