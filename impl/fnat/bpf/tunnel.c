//go:build ignore
// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)

/*
 * The filter on the tunnel from L4 (l4tun0). L4 sends the client's packet as it
 * is, in VNI 1, and the server answers the client directly: whoever can put a
 * packet into this tunnel can pretend to be any client. So only registered L4
 * nodes may.
 */
#include "packet.h"

char _license[] SEC("license") = "Dual BSD/GPL";

#define L4_VNI 1

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __be32);
	__type(value, __u8);
} sources SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counters);
} counters SEC(".maps");

SEC("tcx/ingress")
int l4tun_ingress(struct __sk_buff *skb)
{
	struct bpf_tunnel_key key = {};
	__be32 outer;

	if (bpf_skb_get_tunnel_key(skb, &key, sizeof(key), 0)) {
		COUNT(counters, 0, error);
		return TCX_DROP;
	}
	if (skb->protocol != bpf_htons(ETH_P_IP)) {
		COUNT(counters, 0, not_ipv4);
		return TCX_DROP;
	}
	outer = bpf_htonl(key.remote_ipv4);
	if (!bpf_map_lookup_elem(&sources, &outer)) {
		COUNT(counters, 0, wrong_vtep);
		return TCX_DROP;
	}
	if (key.tunnel_id != L4_VNI) {
		COUNT(counters, 0, unknown_source);
		return TCX_DROP;
	}
	bpf_skb_change_type(skb, PACKET_HOST);
	COUNT_FORWARDED(counters, 0, skb->len);
	return TCX_NEXT;
}
