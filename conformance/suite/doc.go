// Package suite owns the running of conformance cases: which of them apply, in
// which order, each with its own names, objects, backends and deadline, and what
// became of each. It also reads the results of Ginkgo scenarios, so that one
// report holds both.
//
// Cases run one after another. Every case that was asked for gets a result,
// whatever happens. The package knows no lab and no driver: it runs in a
// spec.Env.
package suite
