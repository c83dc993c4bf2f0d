//go:build ignore

// Forwarding of an L4 node.
//
// l4_uplink, ingress of the uplink: a packet to a VIP goes through the tunnel
// to one member of the VIP's pool, otherwise untouched; the member holds the
// VIP itself and answers the client directly (DSR). Everything that is not
// addressed to a VIP passes.
//
// l4_tunnel_out, egress of the tunnel device: gives our own probes the tunnel
// key of the member they are addressed to.
//
// l4_tunnel_in, ingress of the tunnel device: drops everything. Members answer
// directly, so whatever arrives here is forged.
//
// What happens to a packet for a VIP:
//   TCP, UDP to a port of the VIP    member of the flow
//   TCP, UDP to another port         dropped (unknown_port)
//   ICMP error                       member of the flow that it quotes
//   ICMP echo                        member by hash of addresses and identifier
//   other ICMP, other protocols      dropped (icmp_other, bad_protocol)
//   fragment                         dropped (fragment): the router spreads packets
//                                    by ports, which only the first fragment has, so
//                                    the fragments of one packet reach different L4
//                                    nodes. TCP and QUIC send none.
//   IP options                       dropped (ip_options): no client needs them, and
//                                    source routes must not reach a member.

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "maps.h"
#include "pick.h"

char _license[] SEC("license") = "Dual MIT/GPL";

#define TUNNEL_VNI 1
#define TUNNEL_TTL 64

#define NEXT (-1) // TCX_NEXT: leave the packet to the next program, then the stack

const volatile __u32 tunnel_ifindex = 0;
const volatile __be32 underlay = 0;  // outer source: members accept only registered L4 nodes
const volatile __u32 tunnel_mtu = 0; // bytes, without the Ethernet header; 0: do not compare

// encapsulate sends the packet to the VTEP. The inner source address is
// replaced too: a member's tunnel device drops frames that come from its own
// MAC, and the router's MAC is nobody's business.
static __always_inline int encapsulate(struct __sk_buff *skb, __be32 vtep)
{
	static const __u8 macs[2 * ETH_ALEN] = {2, 0, 0, 0, 0x40, 0, 2, 0, 0, 0, 0x40, 1};
	struct bpf_tunnel_key key = {
		.tunnel_id = TUNNEL_VNI,
		.remote_ipv4 = bpf_ntohl(vtep),
		.local_ipv4 = bpf_ntohl(underlay),
		.tunnel_ttl = TUNNEL_TTL,
	};

	if (bpf_skb_set_tunnel_key(skb, &key, sizeof(key), BPF_F_ZERO_CSUM_TX))
		return -1;
	return bpf_skb_store_bytes(skb, 0, macs, sizeof(macs), 0);
}

static __always_inline int forward(struct __sk_buff *skb, const struct member *m)
{
	if (!m || !m->vtep)
		return drop(COUNT_NO_MEMBER);
	if (tunnel_mtu && !skb->gso_size && skb->len > tunnel_mtu + ETH_HLEN)
		count(COUNT_OVERSIZE, 1);
	count(COUNT_FORWARDED, 1);
	count(COUNT_FORWARDED_BYTES, skb->len);
	if (encapsulate(skb, m->vtep))
		return drop(COUNT_TUNNEL_ERROR);
	return bpf_redirect(tunnel_ifindex, 0);
}

static __always_inline const struct service *service_of(const struct flow *f)
{
	struct vip_key key = {.addr = f->daddr, .port = f->dport, .proto = f->proto};

	return bpf_map_lookup_elem(&services, &key);
}

struct ports {
	__be16 source;
	__be16 dest;
};

struct tcp_head {
	struct ports ports;
	__be32 seq;
	__be32 ack;
	__u8 offset;
	__u8 flags;
};

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

// state_after is what a packet that begins no connection says of its connection.
static __always_inline enum conn_state state_after(const struct flow *f, enum conn_state before, __u8 flags)
{
	if (f->proto != IPPROTO_TCP)
		return CONN_DATAGRAM;
	// Whether a RST is valid only the ends know: who goes on after one that was not
	// is open again.
	if (flags & TCP_RST)
		return CONN_RESET;
	return flags & TCP_FIN || before == CONN_CLOSING ? CONN_CLOSING : CONN_OPEN;
}

static __always_inline int on_flow(struct __sk_buff *skb, struct flow *f)
{
	const __u32 at = ETH_HLEN + sizeof(struct iphdr);
	struct member_key key = {};
	const struct service *svc;
	const struct member *m = NULL;
	struct tcp_head tcp = {};
	__u32 now = seconds();
	bool begins = false;
	struct conn *c = NULL;

	if (f->proto == IPPROTO_TCP) {
		if (bpf_skb_load_bytes(skb, at, &tcp, sizeof(tcp)))
			return drop(COUNT_MALFORMED);
		begins = (tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	} else if (bpf_skb_load_bytes(skb, at, &tcp.ports, sizeof(tcp.ports))) {
		return drop(COUNT_MALFORMED);
	}
	f->sport = tcp.ports.source;
	f->dport = tcp.ports.dest;
	svc = service_of(f);
	if (!svc)
		return drop(COUNT_UNKNOWN_PORT);
	key.pool = svc->pool;
	if (!begins)
		m = by_table(f, &key, now, &c);
	if (m) {
		count(COUNT_KNOWN, 1);
		// When the table is full the entry may be another flow's by now: that one
		// then lives for a moment more or less.
		c->state = state_after(f, c->state, tcp.flags);
		c->seen = now;
		return forward(skb, m);
	}
	count(begins ? COUNT_SYN : COUNT_RING, 1);
	m = by_ring(f, key.pool, &key);
	// A SYN is remembered too: if its member begins to drain before the
	// handshake ends, the rest must still go there.
	if (m && !(f->proto == IPPROTO_TCP && tcp.flags & TCP_RST))
		remember(f, key.addr, begins ? CONN_NEW : state_after(f, CONN_NONE, tcp.flags), now);
	return forward(skb, m);
}

struct icmp_head {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be16 id; // of an echo
	__be16 seq;
};

#define ICMP_UNREACHABLE 3
#define ICMP_ECHO_REQUEST 8
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETER 12

// on_icmp_error sends an ICMP error to the member whose packet it quotes: that
// packet went from VIP to client, so our flow is its reverse. Errors are easy
// to forge, so they never enter the connection table.
static __always_inline int on_icmp_error(struct __sk_buff *skb, const struct iphdr *outer)
{
	__u32 at = ETH_HLEN + sizeof(struct iphdr) + sizeof(struct icmp_head);
	struct member_key key = {};
	const struct service *svc;
	const struct member *m;
	struct flow f = {};
	struct iphdr ip;
	struct ports ports;
	struct conn *c = NULL;

	if (bpf_skb_load_bytes(skb, at, &ip, sizeof(ip)))
		return drop(COUNT_MALFORMED);
	if (ip.version != 4 || ip.ihl < 5 || ip.saddr != outer->daddr || (ip.frag_off & bpf_htons(0x1fff)))
		return drop(COUNT_ICMP_STRAY);
	if (ip.protocol != IPPROTO_TCP && ip.protocol != IPPROTO_UDP)
		return drop(COUNT_ICMP_STRAY);
	if (bpf_skb_load_bytes(skb, at + ip.ihl * 4, &ports, sizeof(ports)))
		return drop(COUNT_MALFORMED);
	f.saddr = ip.daddr;
	f.daddr = ip.saddr;
	f.sport = ports.dest;
	f.dport = ports.source;
	f.proto = ip.protocol;
	svc = service_of(&f);
	if (!svc)
		return drop(COUNT_ICMP_STRAY);
	key.pool = svc->pool;
	m = by_table(&f, &key, seconds(), &c);
	if (!m)
		m = by_ring(&f, key.pool, &key);
	count(COUNT_ICMP_ERROR, 1);
	return forward(skb, m);
}

static __always_inline int on_icmp(struct __sk_buff *skb, const struct iphdr *ip, __u32 pool)
{
	struct flow f = {.saddr = ip->saddr, .daddr = ip->daddr, .proto = IPPROTO_ICMP};
	struct member_key key = {.pool = pool};
	struct icmp_head icmp;

	if (bpf_skb_load_bytes(skb, ETH_HLEN + sizeof(*ip), &icmp, sizeof(icmp)))
		return drop(COUNT_MALFORMED);
	switch (icmp.type) {
	case ICMP_UNREACHABLE:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETER:
		return on_icmp_error(skb, ip);
	case ICMP_ECHO_REQUEST:
		f.sport = icmp.id;
		count(COUNT_ICMP_ECHO, 1);
		return forward(skb, by_ring(&f, pool, &key));
	}
	return drop(COUNT_ICMP_OTHER);
}

SEC("tc")
int l4_uplink(struct __sk_buff *skb)
{
	const struct service *vip;
	struct flow f = {};
	struct iphdr ip;

	if (skb->protocol != bpf_htons(ETH_P_IP) || skb->vlan_present)
		return NEXT;
	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)))
		return NEXT;
	vip = bpf_map_lookup_elem(&vips, &ip.daddr);
	if (!vip)
		return NEXT;
	if (ip.version != 4 || ip.ihl < 5 || bpf_ntohs(ip.tot_len) < sizeof(ip))
		return drop(COUNT_MALFORMED);
	if (ip.ihl != 5)
		return drop(COUNT_IP_OPTIONS);
	if (ip.frag_off & bpf_htons(0x3fff)) // offset or more fragments
		return drop(COUNT_FRAGMENT);
	if (ip.protocol == IPPROTO_ICMP)
		return on_icmp(skb, &ip, vip->pool);
	if (ip.protocol != IPPROTO_TCP && ip.protocol != IPPROTO_UDP)
		return drop(COUNT_BAD_PROTOCOL);
	f.saddr = ip.saddr;
	f.daddr = ip.daddr;
	f.proto = ip.protocol;
	return on_flow(skb, &f);
}

SEC("tc")
int l4_tunnel_out(struct __sk_buff *skb)
{
	struct bpf_tunnel_key key = {};
	struct iphdr ip;
	__be32 *vtep;

	// l4_uplink has set the key already.
	if (!bpf_skb_get_tunnel_key(skb, &key, sizeof(key), 0) && key.tunnel_id == TUNNEL_VNI)
		return NEXT;
	if (skb->protocol != bpf_htons(ETH_P_IP) || bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)))
		return drop(COUNT_PROBE_UNKNOWN);
	vtep = bpf_map_lookup_elem(&vteps, &ip.daddr);
	if (!vtep)
		return drop(COUNT_PROBE_UNKNOWN);
	if (encapsulate(skb, *vtep))
		return drop(COUNT_TUNNEL_ERROR);
	count(COUNT_PROBE, 1);
	return NEXT;
}

SEC("tc")
int l4_tunnel_in(struct __sk_buff *skb)
{
	return drop(COUNT_TUNNEL_IN);
}
