// Package bundle owns the directory of one run: runs/<name>/<time>-<seed>/, with
// everything that is needed to judge the run again, to show it, and to run it once
// more. It knows the names of the files and how to find a run; what histories and
// checks are, their packages know.
//
// A Bundle may be used by one goroutine at a time. Files are written whole or not
// at all.
package bundle
