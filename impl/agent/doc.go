// Package agent owns the kernel state of one node that follows from etcd:
// tunnel devices, routes, the member address and VIPs on lo, and the entries of
// the forwarding plane (impl/fnat). An Agent plays one of three roles: gateway,
// member (a server behind L4 that is no gateway) or hypervisor host.
//
// It never writes to etcd (its caller's node.Node does), never forwards a
// packet, and removes nothing that it cannot prove to be its own: devices by
// name, kind and port, addresses by their label. What it made stays in place
// when it ends, so forwarding does not depend on it running.
//
// Everything it does is idempotent. At start it adopts what an earlier process
// left and removes what is no longer wanted; from time to time it compares the
// kernel with what should be there and puts differences right.
//
// An Agent's Run may be called once; its other methods not at all while Run is
// under way. It must run in the network namespace of the node.
package agent
