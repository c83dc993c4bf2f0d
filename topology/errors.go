package topology

import "github.com/unilb/unilb/topology/strict"

// An Error is one problem of a topology file.
type Error = strict.Error

// Errors are all problems of a topology file in the order of the file. Load,
// Parse, Validate and Plan return this type for whatever is the file's fault.
type Errors = strict.Errors

// format is what topology files are called in messages.
var format = strict.Format{Name: "topology", Begin: "lab: <name>"}

func shorten(s string) string { return strict.Shorten(s) }

func didYouMean(got string, known []string) string { return strict.DidYouMean(got, known) }
