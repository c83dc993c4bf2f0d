// Package control owns the control API of a gateway: what APISIX's has on
// 127.0.0.1:9090, under /v1. It tells what this one process has in force, and
// changes nothing.
//
// It authenticates nobody, as APISIX's does not: who listens with it does so on
// loopback. What it shows of an object is what etcd holds, with private keys sealed.
// The handler is safe for concurrent use.
package control
