// Package l4 owns a node of the L4 cluster: which member of which pool gets the
// packets of a VIP. It watches VIPs and registrations in etcd, probes every
// member through the same tunnel that carries its traffic, computes a Maglev
// ring for each pool, and keeps all of this in the maps of the eBPF programs in
// package bpf, which forward the packets (VXLAN on UDP 4790, VNI 1; members
// answer clients directly).
//
// It never forwards a packet in user space, never takes a member out because of
// etcd, and computes nothing from the node it runs on: every L4 node that sees
// the same members up has the same rings, so a connection survives the loss of
// an L4 node. Programs, maps and links are pinned; they forward while no process
// of ours runs, and the next process adopts them.
//
// Pure parts: [BuildRing], [Health], [ParseVIP], [MemberOf]. A [Controller], a
// [Prober] and a [Datapath] are safe for concurrent use. A Datapath belongs to
// the network namespace of the thread that opened it.
package l4
