//go:build ignore
// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)

/*
 * The vswitch of a hypervisor host: from_guest on the host's end of each
 * guest's link, to_guest on the one external-mode vxlan device. No bridge and
 * no learning: where an address lives is told by the registry alone.
 */
#include "packet.h"

char _license[] SEC("license") = "Dual BSD/GPL";

/* The interface of a guest: which network it is in. */
struct port {
	__u32 vni;
	__be32 router; /* speaks for the network in ICMP errors; 0: not known yet */
};

struct guest {
	__u32 vni;
	__be32 ip;
};

/* Where a guest's address lives. */
struct place {
	__u32 ifindex; /* of the host's end of the guest's link; 0: on another host */
	__be32 vtep;   /* of that other host */
	__u8 mac[6];
	__u8 peer;     /* the link is a veth pair: deliver at its far end */
	__u8 pad;
};

enum direction { FROM_GUEST, TO_GUEST, DIRECTIONS };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 12);
	__type(key, __u32);
	__type(value, struct port);
} ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 18);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct guest);
	__type(value, struct place);
} places SEC(".maps");

/* Gateways are reached from every VNI: member address to VTEP. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 12);
	__type(key, __be32);
	__type(value, __be32);
} gateways SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DIRECTIONS);
	__type(key, __u32);
	__type(value, struct counters);
} counters SEC(".maps");

/* The vxlan device that leads to the other hosts and to the gateways. */
const volatile __u32 tunnel_ifindex = 0;

/* The outer source of what we send, in host order: the VTEP that others check,
 * whatever other addresses the uplink has. */
const volatile __u32 vtep = 0;

/* The MAC behind which a guest finds everybody else. */
static const __u8 router_mac[ETH_ALEN] = { 0x02, 0, 0, 0, 0, 0x01 };

#define ARP_ETHERNET 1
#define ARP_REQUEST 1
#define ARP_REPLY 2

struct arp_ipv4 {
	__be16 hrd, pro;
	__u8 hln, pln;
	__be16 op;
	__u8 sha[ETH_ALEN];
	__u8 spa[4];
	__u8 tha[ETH_ALEN];
	__u8 tpa[4];
} __attribute__((packed));

/*
 * answer_arp tells a guest that router_mac has the address it asks for, unless
 * that is its own: a guest that probes for a duplicate must find none.
 */
static __always_inline int answer_arp(struct __sk_buff *skb, const struct port *port)
{
	struct {
		__u8 dst[ETH_ALEN], src[ETH_ALEN];
	} __attribute__((packed)) eth;
	struct arp_ipv4 arp;
	struct guest g = { .vni = port->vni };
	struct place *own;
	__u8 asked[4];

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &arp, sizeof(arp)) ||
	    arp.hrd != bpf_htons(ARP_ETHERNET) || arp.pro != bpf_htons(ETH_P_IP) ||
	    arp.hln != ETH_ALEN || arp.pln != 4 ||
	    arp.op != bpf_htons(ARP_REQUEST)) {
		COUNT(counters, FROM_GUEST, not_ipv4);
		return TCX_DROP;
	}
	__builtin_memcpy(asked, arp.tpa, 4);
	__builtin_memcpy(&g.ip, asked, 4);
	own = bpf_map_lookup_elem(&places, &g);
	if (own && own->ifindex == skb->ifindex)
		return TCX_DROP;

	__builtin_memcpy(eth.dst, arp.sha, ETH_ALEN);
	__builtin_memcpy(eth.src, router_mac, ETH_ALEN);
	arp.op = bpf_htons(ARP_REPLY);
	__builtin_memcpy(arp.tha, arp.sha, ETH_ALEN);
	__builtin_memcpy(arp.tpa, arp.spa, 4);
	__builtin_memcpy(arp.sha, router_mac, ETH_ALEN);
	__builtin_memcpy(arp.spa, asked, 4);
	if (bpf_skb_store_bytes(skb, 0, &eth, sizeof(eth), 0) ||
	    bpf_skb_store_bytes(skb, ETH_HLEN, &arp, sizeof(arp), 0)) {
		COUNT(counters, FROM_GUEST, error);
		return TCX_DROP;
	}
	COUNT(counters, FROM_GUEST, arp);
	return bpf_redirect(skb->ifindex, 0);
}

/* deliver hands a packet to a guest of this host, in direction dir. */
static __always_inline int deliver(struct __sk_buff *skb, const struct place *to, __u32 dir)
{
	struct {
		__u8 dst[ETH_ALEN], src[ETH_ALEN];
	} __attribute__((packed)) eth;
	__u32 ifindex = to->ifindex;
	__u8 peer = to->peer;

	__builtin_memcpy(eth.dst, to->mac, ETH_ALEN);
	__builtin_memcpy(eth.src, router_mac, ETH_ALEN);
	if (bpf_skb_store_bytes(skb, 0, &eth, sizeof(eth), 0)) {
		COUNT(counters, dir, error);
		return TCX_DROP;
	}
	COUNT_FORWARDED(counters, dir, skb->len);
	return peer ? bpf_redirect_peer(ifindex, 0) : bpf_redirect(ifindex, 0);
}

/* fold adds the carries of a one's complement sum back in. */
static __always_inline __u32 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* What of an oversize packet is sent back: its IPv4 header and the head of its
 * transport header, up to and including the checksum of TCP (change_tail does
 * not cut below a checksum that is still to be filled in). */
#define CAUSE_L4 24

struct too_big {
	struct iphdr ip;
	__u8 type, code;
	__u16 check;
	__u16 unused;
	__be16 mtu;
};

/*
 * settle_embedded_checksum sets the transport checksum of the trimmed packet at
 * offset l4 to the value that filling it in would leave as it is. A packet
 * from a guest may still have its checksum to be computed on the way out; that
 * would then change the embedded packet after the ICMP checksum over it has
 * been made. With x the field and r the sum of all else, filling in writes
 * ~(r+x); it equals x when 2x = ~r. Nobody verifies this field in an ICMP error.
 */
static __always_inline int settle_embedded_checksum(struct __sk_buff *skb, __u32 l4, __u8 proto)
{
	__u16 words[CAUSE_L4 / 2], x;
	__u32 at, sum;

	if (proto == IPPROTO_TCP)
		at = TCP_CHECK;
	else if (proto == IPPROTO_UDP)
		at = UDP_CHECK;
	else
		return 0;
	if (bpf_skb_load_bytes(skb, l4, words, sizeof(words)))
		return -1;
	if (proto == IPPROTO_TCP)
		words[TCP_CHECK / 2] = 0;
	else
		words[UDP_CHECK / 2] = 0;
	sum = fold(bpf_csum_diff(NULL, 0, (__be32 *)words, sizeof(words), 0));
	sum = ~sum & 0xffff;
	x = (sum & 1) ? (sum + 0xffff) >> 1 : sum >> 1;
	return bpf_skb_store_bytes(skb, l4 + at, &x, sizeof(x), 0) ? -1 : 0;
}

/*
 * refuse_oversize turns a packet that does not fit through the tunnel into an
 * ICMP "fragmentation needed" to the guest that sent it, whether or not it
 * allowed fragmentation: the vswitch cannot fragment.
 */
static __always_inline int refuse_oversize(struct __sk_buff *skb, const struct packet *p,
					   const struct port *port, __u32 mtu)
{
	struct {
		__u8 dst[ETH_ALEN], src[ETH_ALEN];
	} __attribute__((packed)) eth;
	struct too_big e = {};
	__u8 cause[20 + CAUSE_L4];
	__u64 sum;

	/* A later fragment tells no socket; options would need a variable
	 * length; an error is never answered with an error. */
	if (!p->first || p->l4 != ETH_HLEN + sizeof(struct iphdr) ||
	    classify_icmp(skb, p) != ICMP_PLAIN)
		return -1;
	if (bpf_skb_load_bytes(skb, ETH_ALEN, eth.dst, ETH_ALEN) ||
	    bpf_skb_change_tail(skb, ETH_HLEN + sizeof(cause), 0) ||
	    settle_embedded_checksum(skb, p->l4, p->proto) ||
	    bpf_skb_load_bytes(skb, ETH_HLEN, cause, sizeof(cause)) ||
	    bpf_skb_adjust_room(skb, sizeof(e), BPF_ADJ_ROOM_MAC, 0))
		return -1;

	e.ip.version = 4;
	e.ip.ihl = 5;
	e.ip.ttl = 64;
	e.ip.protocol = IPPROTO_ICMP;
	e.ip.tot_len = bpf_htons(sizeof(e) + sizeof(cause));
	e.ip.saddr = port->router ? port->router : p->daddr;
	e.ip.daddr = p->saddr;
	e.ip.check = ~fold(bpf_csum_diff(NULL, 0, (__be32 *)&e.ip, sizeof(e.ip), 0));
	e.type = ICMP_UNREACHABLE;
	e.code = 4;
	e.mtu = bpf_htons(mtu);
	sum = bpf_csum_diff(NULL, 0, (__be32 *)cause, sizeof(cause), 0);
	sum += bpf_csum_diff(NULL, 0, (__be32 *)&e.type, ICMP_HLEN, 0);
	e.check = ~fold(sum);

	__builtin_memcpy(eth.src, router_mac, ETH_ALEN);
	if (bpf_skb_store_bytes(skb, 0, &eth, sizeof(eth), 0) ||
	    bpf_skb_store_bytes(skb, ETH_HLEN, &e, sizeof(e), 0))
		return -1;
	return bpf_redirect(skb->ifindex, 0);
}

/* send_to puts a packet into the tunnel of the guest's network to a VTEP. */
static __always_inline int send_to(struct __sk_buff *skb, const struct packet *p,
				   const struct port *port, __be32 to, const __u8 *dst)
{
	struct bpf_tunnel_key key = {};
	__u32 mtu = 0;
	long fits;

	/*
	 * A redirect does not look at the MTU of the device, and the outer
	 * packet would then be fragmented in silence. A packet that is still to
	 * be segmented may be longer: its segments are what must fit.
	 */
	fits = bpf_check_mtu(skb, tunnel_ifindex, &mtu, 0, BPF_MTU_CHK_SEGS);
	if (fits == BPF_MTU_CHK_RET_FRAG_NEEDED || fits == BPF_MTU_CHK_RET_SEGS_TOOBIG) {
		int verdict = refuse_oversize(skb, p, port, mtu);

		COUNT(counters, FROM_GUEST, too_big);
		return verdict < 0 ? TCX_DROP : verdict;
	}
	key.tunnel_id = port->vni;
	key.remote_ipv4 = bpf_ntohl(to);
	key.local_ipv4 = vtep;
	key.tunnel_ttl = 64;
	if (fits < 0 || bpf_skb_store_bytes(skb, offsetof(struct ethhdr, h_dest), dst, ETH_ALEN, 0) ||
	    bpf_skb_set_tunnel_key(skb, &key, sizeof(key), BPF_F_ZERO_CSUM_TX)) {
		COUNT(counters, FROM_GUEST, error);
		return TCX_DROP;
	}
	COUNT_FORWARDED(counters, FROM_GUEST, skb->len);
	return bpf_redirect(tunnel_ifindex, 0);
}

SEC("tcx/ingress")
int vsw_from_guest(struct __sk_buff *skb)
{
	__u32 ifindex = skb->ifindex;
	struct guest g = {};
	struct place *place;
	struct port *port;
	struct packet p;

	port = bpf_map_lookup_elem(&ports, &ifindex);
	if (!port) {
		COUNT(counters, FROM_GUEST, unknown_source);
		return TCX_DROP;
	}
	if (skb->protocol == bpf_htons(ETH_P_ARP))
		return answer_arp(skb, port);
	if (skb->protocol != bpf_htons(ETH_P_IP)) {
		COUNT(counters, FROM_GUEST, not_ipv4);
		return TCX_DROP;
	}
	if (read_ipv4(skb, ETH_HLEN, &p)) {
		COUNT(counters, FROM_GUEST, error);
		return TCX_DROP;
	}
	/* A guest speaks for the addresses registered at its own interface. */
	g.vni = port->vni;
	g.ip = p.saddr;
	place = bpf_map_lookup_elem(&places, &g);
	if (!place || place->ifindex != ifindex) {
		COUNT(counters, FROM_GUEST, unknown_source);
		return TCX_DROP;
	}
	if (is_member(p.daddr)) {
		__be32 *to = bpf_map_lookup_elem(&gateways, &p.daddr);

		if (to)
			return send_to(skb, &p, port, *to, router_mac);
	} else {
		g.ip = p.daddr;
		place = bpf_map_lookup_elem(&places, &g);
		if (place && place->ifindex)
			return deliver(skb, place, FROM_GUEST);
		if (place && place->vtep) {
			__u8 mac[ETH_ALEN];

			__builtin_memcpy(mac, place->mac, ETH_ALEN);
			return send_to(skb, &p, port, place->vtep, mac);
		}
	}
	COUNT(counters, FROM_GUEST, miss);
	return TCX_DROP;
}

/*
 * owner_of tells which VTEP may send packets from an inner source: that of the
 * gateway for a member address, else that of the host on which the source lives.
 * 0: none.
 */
static __always_inline __be32 owner_of(__u32 vni, __be32 source)
{
	struct guest g = { .vni = vni, .ip = source };
	struct place *place;
	__be32 *gateway;

	if (is_member(source)) {
		gateway = bpf_map_lookup_elem(&gateways, &source);
		return gateway ? *gateway : 0;
	}
	place = bpf_map_lookup_elem(&places, &g);
	return place && !place->ifindex ? place->vtep : 0;
}

SEC("tcx/ingress")
int vsw_to_guest(struct __sk_buff *skb)
{
	struct bpf_tunnel_key key = {};
	struct guest g = {};
	struct place *place;
	struct packet p;
	__be32 owner;

	if (skb->protocol != bpf_htons(ETH_P_IP)) {
		COUNT(counters, TO_GUEST, not_ipv4);
		return TCX_DROP;
	}
	if (bpf_skb_get_tunnel_key(skb, &key, sizeof(key), 0) || read_ipv4(skb, ETH_HLEN, &p)) {
		COUNT(counters, TO_GUEST, error);
		return TCX_DROP;
	}
	owner = owner_of(key.tunnel_id, p.saddr);
	if (!owner) {
		COUNT(counters, TO_GUEST, unknown_source);
		return TCX_DROP;
	}
	if (owner != bpf_htonl(key.remote_ipv4)) {
		COUNT(counters, TO_GUEST, wrong_vtep);
		return TCX_DROP;
	}
	g.vni = key.tunnel_id;
	g.ip = p.daddr;
	place = bpf_map_lookup_elem(&places, &g);
	if (!place || !place->ifindex) {
		COUNT(counters, TO_GUEST, miss);
		return TCX_DROP;
	}
	return deliver(skb, place, TO_GUEST);
}
