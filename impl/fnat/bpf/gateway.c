//go:build ignore
// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)

/*
 * FNAT on a gateway: unique IP <-> (VNI, VPC address), one to one, no state, no
 * port touched. Both programs sit on one external-mode vxlan device. The unique
 * range is routed to that device, so no redirect is needed: egress chooses the
 * tunnel, and vxlan transmits by it; ingress turns the source back.
 */
#include "packet.h"

char _license[] SEC("license") = "Dual BSD/GPL";

/* Where a unique IP leads. */
struct mapping {
	__be32 vpc_ip;
	__u32 vni;
	__be32 vtep;
	__u8 mac[6];
	__u8 pad[6];
	__u64 generation; /* for audits; the data plane does not read it */
};

/* A guest's address within its tenant's network. */
struct guest {
	__u32 vni;
	__be32 ip;
};

/* Who a guest is to the gateway, and behind which host it must be. */
struct identity {
	__be32 unique_ip;
	__be32 vtep;
};

enum direction { EGRESS, INGRESS, DIRECTIONS };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 18);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __be32);
	__type(value, struct mapping);
} forward SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 18);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct guest);
	__type(value, struct identity);
} reverse SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DIRECTIONS);
	__type(key, __u32);
	__type(value, struct counters);
} counters SEC(".maps");

/* The address of this gateway, the only one that guests may talk to. */
const volatile __be32 member = 0;

/* The outer source of what we send, in host order: the VTEP that hosts check,
 * whatever other addresses the uplink has. */
const volatile __u32 vtep = 0;

SEC("tcx/egress")
int fnat_egress(struct __sk_buff *skb)
{
	struct bpf_tunnel_key key = {};
	struct packet p;
	struct mapping *m;
	__be32 vpc_ip;
	__u8 mac[ETH_ALEN];

	if (skb->protocol != bpf_htons(ETH_P_IP)) {
		COUNT(counters, EGRESS, not_ipv4);
		return TCX_DROP;
	}
	if (read_ipv4(skb, ETH_HLEN, &p))
		goto error;
	m = bpf_map_lookup_elem(&forward, &p.daddr);
	if (!m) {
		COUNT(counters, EGRESS, miss);
		return TCX_DROP;
	}
	key.tunnel_id = m->vni;
	key.remote_ipv4 = bpf_ntohl(m->vtep);
	key.local_ipv4 = vtep;
	key.tunnel_ttl = 64;
	vpc_ip = m->vpc_ip;
	__builtin_memcpy(mac, m->mac, ETH_ALEN);

	switch (classify_icmp(skb, &p)) {
	case ICMP_PLAIN:
		break;
	case ICMP_ERROR: {
		/* Our answer to something that the guest sent. */
		struct packet cause;

		if (read_ipv4(skb, p.l4 + ICMP_HLEN, &cause) || cause.saddr != p.daddr ||
		    replace_embedded(skb, &p, offsetof(struct iphdr, saddr), p.daddr, vpc_ip))
			goto error;
		break;
	}
	default:
		goto error;
	}
	if (replace_address(skb, &p, offsetof(struct iphdr, daddr), p.daddr, vpc_ip) ||
	    bpf_skb_store_bytes(skb, offsetof(struct ethhdr, h_dest), mac, ETH_ALEN, 0) ||
	    bpf_skb_set_tunnel_key(skb, &key, sizeof(key), BPF_F_ZERO_CSUM_TX))
		goto error;
	COUNT_FORWARDED(counters, EGRESS, skb->len);
	return TCX_NEXT;
error:
	COUNT(counters, EGRESS, error);
	return TCX_DROP;
}

/* ---- VNI check: begin ------------------------------------------------------
 * Who sent this, as seen from the VNI in which it arrived. Tenants use the same
 * addresses: an address means nothing without its VNI, and a packet is somebody
 * only if its own VNI holds that address. NULL: nobody.
 */
static __always_inline struct identity *identify(const struct bpf_tunnel_key *key, __be32 ip)
{
	struct guest g = { .vni = key->tunnel_id, .ip = ip };

	return bpf_map_lookup_elem(&reverse, &g);
}
/* ---- VNI check: end ------------------------------------------------------ */

/*
 * cause_of tells to which guest the packet was going that an ICMP error is
 * about. NULL when the error is malformed, not about a packet of this gateway,
 * or about an address that its VNI does not hold: without this test a tenant
 * could break the gateway's connections to an IDC that uses the same addresses.
 */
static __always_inline struct identity *cause_of(struct __sk_buff *skb, const struct packet *p,
						 const struct bpf_tunnel_key *key, __be32 *addr)
{
	struct packet cause;

	if (read_ipv4(skb, p->l4 + ICMP_HLEN, &cause) || cause.saddr != member)
		return NULL;
	*addr = cause.daddr;
	return identify(key, cause.daddr);
}

SEC("tcx/ingress")
int fnat_ingress(struct __sk_buff *skb)
{
	struct bpf_tunnel_key key = {};
	struct identity *who, *about = NULL;
	struct packet p;
	__be32 unique, cause = 0, cause_unique = 0;

	if (bpf_skb_get_tunnel_key(skb, &key, sizeof(key), 0))
		goto error;
	if (skb->protocol != bpf_htons(ETH_P_IP)) {
		COUNT(counters, INGRESS, not_ipv4);
		return TCX_DROP;
	}
	if (read_ipv4(skb, ETH_HLEN, &p))
		goto error;
	if (p.daddr != member) {
		COUNT(counters, INGRESS, wrong_destination);
		return TCX_DROP;
	}
	who = identify(&key, p.saddr);
	switch (classify_icmp(skb, &p)) {
	case ICMP_PLAIN:
		break;
	case ICMP_ERROR:
		about = cause_of(skb, &p, &key, &cause);
		if (!about)
			goto unknown;
		/*
		 * A router inside the VPC has no unique IP: its error is
		 * presented as the guest's. It sits behind the guest's host,
		 * because that is where we sent the packet.
		 */
		if (!who)
			who = about;
		if (bpf_htonl(key.remote_ipv4) != about->vtep)
			goto wrong_vtep;
		cause_unique = about->unique_ip;
		break;
	default:
		goto error;
	}
	if (!who)
		goto unknown;
	/* VXLAN authenticates nobody: the least we can ask is that a packet
	 * comes from the host on which the guest runs. */
	if (bpf_htonl(key.remote_ipv4) != who->vtep)
		goto wrong_vtep;
	unique = who->unique_ip;
	if (about && replace_embedded(skb, &p, offsetof(struct iphdr, daddr), cause, cause_unique))
		goto error;
	if (replace_address(skb, &p, offsetof(struct iphdr, saddr), p.saddr, unique))
		goto error;
	bpf_skb_change_type(skb, PACKET_HOST); /* whatever the inner MAC says */
	COUNT_FORWARDED(counters, INGRESS, skb->len);
	return TCX_NEXT;
unknown:
	COUNT(counters, INGRESS, unknown_source);
	return TCX_DROP;
wrong_vtep:
	COUNT(counters, INGRESS, wrong_vtep);
	return TCX_DROP;
error:
	COUNT(counters, INGRESS, error);
	return TCX_DROP;
}
