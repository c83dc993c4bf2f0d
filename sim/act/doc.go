// Package act owns what a scenario does to a running lab, and what it waits for:
// publishing sites, sending load, breaking and mending, waiting until something is
// steady, in force or back. Every act and every wait returns an error, so that the
// runner of scenario files and the words of Ginkgo scenarios are built on the same
// ones.
//
// Nothing here looks at the inside of the systems under test: clients, backends,
// the tenant's API, the store and the nodes' status listeners are all it asks. It
// judges nothing. A Region is safe for concurrent use.
package act
