// Package lbc owns the tenant model of a region (load balancers, listeners,
// rules, target groups, VPCs and their ports) and everything that makes it
// true: the REST interface, the compile to APISIX objects, FNAT mappings,
// listeners and VIPs, their ordered publication and withdrawal, and the
// operations that tell on how many nodes a change is in force.
//
// All state is in etcd; a replica keeps mirrors of it only. Any replica carries
// on what another began: nothing depends on which one took a request, and
// every step of a publication may be repeated. What keeps an older compile from
// overwriting a newer one is never a lock but the conditions of each write; see
// publish.go.
//
// It never forwards traffic, never writes below the APISIX prefix except
// through the Admin API, and leaves alone what does not carry its label.
//
// Service is safe for concurrent use. Model is not; Compile and the types of
// the tenant model are values.
package lbc
