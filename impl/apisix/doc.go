// Package apisix owns the object types of the APISIX 3.18 configuration: what
// they look like in etcd, which values are valid, what absent fields mean, and
// the words in which the Admin API refuses an object.
//
// It is pure: bytes in, values and errors out; no network, no clock, no logger.
// It never writes defaults into what is stored, since APISIX does not (they are
// filled in the decoded types only), and it does not look at other objects: that
// a referenced object exists is the Admin API's business. Everything here is safe
// for concurrent use; decoded objects are the caller's.
package apisix
