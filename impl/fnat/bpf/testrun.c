//go:build ignore
// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)

/*
 * For tests only: gives a packet of BPF_PROG_TEST_RUN the tunnel metadata that
 * a vxlan device would have given it, taken from skb->cb (VNI, outer source),
 * then runs the program under test.
 */
#include "packet.h"

char _license[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} target SEC(".maps");

SEC("tcx/ingress") /* tail calls need the attach type of their target */
int in_tunnel(struct __sk_buff *skb)
{
	struct bpf_tunnel_key key = {};

	key.tunnel_id = skb->cb[0];
	/* get_tunnel_key answers the source of the metadata as the remote,
	 * set_tunnel_key takes it from the local address. */
	key.local_ipv4 = skb->cb[1];
	if (bpf_skb_set_tunnel_key(skb, &key, sizeof(key), 0))
		return TCX_DROP;
	bpf_tail_call(skb, &target, 0);
	return TCX_DROP;
}
