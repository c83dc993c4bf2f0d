/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What all programs of the forwarding plane share: counters, reading an IPv4
 * header, and changing an address together with every checksum that covers it.
 *
 * linux/icmp.h is not included: it pulls libc's 32-bit stubs into a BPF build.
 */
#ifndef UNILB_FNAT_PACKET_H
#define UNILB_FNAT_PACKET_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

/* Verdicts of TCX (linux/bpf.h of older systems lacks them). A packet that is
 * accepted goes on to programs attached after ours, so NEXT and not PASS. */
#define TCX_NEXT -1
#define TCX_DROP 2

#define PACKET_HOST 0

#define TCP_CHECK 16                        /* offset of the checksum in a TCP header */
#define UDP_CHECK 6                          /* and in a UDP header */
#define ICMP_HLEN 8

#define ICMP_UNREACHABLE 3
#define ICMP_QUENCH 4
#define ICMP_REDIRECTED 5
#define ICMP_EXCEEDED 11
#define ICMP_PARAMETER 12

#define FRAGMENT_OFFSET 0x1fff

/* 100.127.0.0/16: addresses of servers behind L4. No VPC may use them. */
#define MEMBER_NET 0x647f0000
#define MEMBER_MASK 0xffff0000

static __always_inline int is_member(__be32 ip)
{
	return (bpf_ntohl(ip) & MEMBER_MASK) == MEMBER_NET;
}

/* Counters of one direction. Everything after bytes counts dropped packets,
 * by reason, except arp. */
struct counters {
	__u64 packets;           /* forwarded */
	__u64 bytes;             /* of the packets forwarded, with the inner Ethernet header */
	__u64 miss;              /* no entry for the destination */
	__u64 unknown_source;    /* the source is not registered in this VNI */
	__u64 wrong_vtep;        /* the outer source does not own the inner source */
	__u64 wrong_destination; /* not for this node */
	__u64 not_ipv4;          /* ARP where none is due, IPv6 and the like */
	__u64 too_big;           /* answered with ICMP fragmentation needed */
	__u64 arp;               /* ARP requests answered */
	__u64 error;             /* malformed, or a helper of the kernel refused */
};

#define COUNT(map, dir, field)                                             \
	do {                                                               \
		__u32 key_ = (dir);                                        \
		struct counters *c_ = bpf_map_lookup_elem(&(map), &key_);  \
		if (c_)                                                    \
			c_->field++;                                       \
	} while (0)

#define COUNT_FORWARDED(map, dir, len)                                     \
	do {                                                               \
		__u32 key_ = (dir);                                        \
		struct counters *c_ = bpf_map_lookup_elem(&(map), &key_);  \
		if (c_) {                                                  \
			c_->packets++;                                     \
			c_->bytes += (len);                                \
		}                                                          \
	} while (0)

/* The part of a packet on which decisions rest. */
struct packet {
	__be32 saddr, daddr;
	__u32 l4;     /* offset of the transport header */
	__u8 proto;
	__u8 first;   /* not a later fragment: the transport header is here */
};

/* read_ipv4 reads the IPv4 header at off. 0, or -1 when there is none. */
static __always_inline int read_ipv4(struct __sk_buff *skb, __u32 off, struct packet *p)
{
	struct iphdr ip;

	if (bpf_skb_load_bytes(skb, off, &ip, sizeof(ip)))
		return -1;
	if (ip.version != 4 || ip.ihl < 5)
		return -1;
	p->saddr = ip.saddr;
	p->daddr = ip.daddr;
	p->proto = ip.protocol;
	p->l4 = off + ip.ihl * 4;
	p->first = !(ip.frag_off & bpf_htons(FRAGMENT_OFFSET));
	return 0;
}

/*
 * replace_address writes `to` over the address `from` at field (an offset in
 * struct iphdr) of the outermost IPv4 header. The TCP and UDP checksums cover
 * the address by their pseudo header and are only in the first fragment; a UDP
 * checksum of zero means none and stays. ICMP has no pseudo header.
 */
static __always_inline int replace_address(struct __sk_buff *skb, const struct packet *p,
					   __u32 field, __be32 from, __be32 to)
{
	if (p->first && p->proto == IPPROTO_TCP &&
	    bpf_l4_csum_replace(skb, p->l4 + TCP_CHECK, from, to, BPF_F_PSEUDO_HDR | 4))
		return -1;
	if (p->first && p->proto == IPPROTO_UDP &&
	    bpf_l4_csum_replace(skb, p->l4 + UDP_CHECK, from, to,
				BPF_F_PSEUDO_HDR | BPF_F_MARK_MANGLED_0 | 4))
		return -1;
	if (bpf_l3_csum_replace(skb, ETH_HLEN + offsetof(struct iphdr, check), from, to, 4))
		return -1;
	return bpf_skb_store_bytes(skb, ETH_HLEN + field, &to, sizeof(to), 0) ? -1 : 0;
}

enum icmp_class {
	ICMP_PLAIN,     /* not an error: nothing embedded */
	ICMP_ERROR,     /* carries the head of the packet that caused it */
	ICMP_FORBIDDEN, /* redirect, source quench: nobody may steer a gateway's routes */
	ICMP_BROKEN,
};

/* classify_icmp looks at an ICMP message; anything else is ICMP_PLAIN. */
static __always_inline enum icmp_class classify_icmp(struct __sk_buff *skb, const struct packet *p)
{
	__u8 type;

	if (p->proto != IPPROTO_ICMP || !p->first)
		return ICMP_PLAIN;
	if (bpf_skb_load_bytes(skb, p->l4, &type, sizeof(type)))
		return ICMP_BROKEN;
	switch (type) {
	case ICMP_UNREACHABLE:
	case ICMP_EXCEEDED:
	case ICMP_PARAMETER:
		return ICMP_ERROR;
	case ICMP_QUENCH:
	case ICMP_REDIRECTED:
		return ICMP_FORBIDDEN;
	}
	return ICMP_PLAIN;
}

/*
 * replace_embedded writes `to` over the address `from` in the IPv4 header that
 * an ICMP error carries. The embedded header's own checksum changes by the
 * opposite amount, so the ICMP checksum over both stays right. The embedded
 * transport checksum is left: nobody can verify it on a truncated packet.
 */
static __always_inline int replace_embedded(struct __sk_buff *skb, const struct packet *p,
					    __u32 field, __be32 from, __be32 to)
{
	__u32 ip = p->l4 + ICMP_HLEN;

	if (bpf_l3_csum_replace(skb, ip + offsetof(struct iphdr, check), from, to, 4))
		return -1;
	return bpf_skb_store_bytes(skb, ip + field, &to, sizeof(to), 0) ? -1 : 0;
}

#endif
