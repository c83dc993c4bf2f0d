// Package scenario owns scenario files and their runs: a topology, what tenants
// publish, what clients send, what goes wrong and when, and what must hold in the
// end. [Parse] reads a file and says everything that is wrong with it; a [Job] is
// one run of it, whoever owns the lab: the supervisor of "lbsim run" or a Ginkgo
// spec.
//
// The acts and waits are those of sim/act, faults those of sim/fault, checks those
// of sim/check; this package decides only their order. Everything that is random
// follows from the seed, and a digest of plan, faults and traffic proves it. A File
// is immutable once parsed; a Job belongs to one run.
package scenario
