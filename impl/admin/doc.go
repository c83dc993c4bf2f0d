// Package admin owns the Admin API: the HTTP interface of APISIX 3.18 for routes,
// services, upstreams and certificates (ssls), answered from etcd. Private keys are
// sealed before they are stored, and those of certificates are never given back.
//
// It keeps no state: every answer comes from a read of etcd, every write is one
// etcd transaction whose conditions are what the write relied on, so any number of
// replicas can serve side by side. A whole configuration (APISIX's standalone API) that
// is too large for one takes several, and says so until the last. It asks gateways
// nothing but what they serve. A Handler is safe for concurrent use.
package admin
