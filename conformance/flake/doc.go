// Package flake owns what is known about cases that cannot be relied on: the
// ledger of how often each ended how, the rates that follow from it, the
// quarantine, and the budget of the suite.
//
// A flake is a case that passed in one run and not in another while everything
// that matters was the same: the gateway's binary, the cases, the topology. A
// different binary that fails is no flake. The package labels and counts; it never
// turns red into green, and never runs anything again.
package flake
