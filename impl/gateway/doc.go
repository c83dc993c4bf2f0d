// Package gateway owns the wiring of the L7 gateway: from etcd to snapshots,
// from listener objects to sockets, from upstreams to health checks, and the
// order of start, drain and end.
//
// It holds no policy: what a request meets is decided in impl/proxy, what an
// object means in impl/config. It stores nothing.
//
// Run is the only entry; everything below it is started and ended by it.
package gateway
