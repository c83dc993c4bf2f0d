// Package admin owns the Admin API: the HTTP interface of APISIX 3.18 for routes,
// services and upstreams, answered from etcd.
//
// It keeps no state: every answer comes from a read of etcd, every write is one
// etcd transaction whose conditions are what the write relied on, so any number of
// replicas can serve side by side. It never talks to gateways. A Handler is safe
// for concurrent use.
package admin
