// Package labenv owns the meeting of suite and lab: it brings a region up inside
// a sandbox with the gateway that a driver manifest describes, runs the
// conformance cases in it, runs the compiled scenarios beside it, and writes one
// report over both.
//
// It judges nothing itself and holds no cases. Env is safe for concurrent use;
// Run is called once in a process.
package labenv
