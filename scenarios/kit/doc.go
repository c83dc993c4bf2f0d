//go:build scenarios

// Package kit is the vocabulary in which scenarios are written: about twenty
// words, each an act or a wait. Every act is an entry of the run's timeline.
// Words fail the running spec by themselves, so a scenario reads straight
// down. The package asserts nothing about the inside of the systems under
// test: clients, backends, the tenant's API and the nodes' status listeners
// are all it looks at.
//
// A Region belongs to one spec and is not shared between them.
package kit
