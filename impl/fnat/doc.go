// Package fnat owns the forwarding plane of tenants' packets: the eBPF programs
// that translate between a gateway's unique IPs and guests of VPCs (Gateway),
// that switch packets on a hypervisor host (Vswitch), and that guard the tunnel
// from L4 (Tunnel).
//
// Programs and maps are pinned in a bpffs below the interface's name and index,
// so packets are forwarded while the process is down, however it ended. Opening
// a device again adopts what is pinned and replaces the programs in place.
//
// The package never makes or configures devices, addresses and routes (see
// impl/agent), never reads etcd, and never forwards a packet itself: a packet
// without an entry is dropped and counted. Changes of maps hold from the next
// packet on.
//
// Methods of Gateway, Vswitch and Tunnel that change entries must not run
// concurrently with each other; List and Counters may run at any time. Functions
// that open or attach must run in the network namespace of the device.
package fnat
