// What the programs and package l4 share: types, maps, counters.

#pragma once

#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#define RING_SLOTS 65537 // prime, as Maglev needs; impl/l4 has the same number
#define MAX_POOLS 8
#define MAX_MEMBERS 4096
#define MAX_SERVICES 16384
#define MAX_VIPS 4096
#define NAME_BYTES 96

// A member's state. Zero, the value of a record nobody filled in, forwards nothing.
enum member_state {
	MEMBER_UNKNOWN,
	MEMBER_UP,
	MEMBER_DRAINING, // keeps its connections, gets no new ones
	MEMBER_DOWN,
};

// Indexes of counters. impl/l4 names them for the status page.
enum counter {
	COUNT_FORWARDED,
	COUNT_FORWARDED_BYTES,
	COUNT_SYN,             // began a connection by the ring
	COUNT_KNOWN,           // followed the connection table
	COUNT_RING,            // not in the table: followed the ring
	COUNT_MOVED,           // in the table with a member that is down: moved by the ring
	COUNT_NO_MEMBER,       // dropped: the pool has no ring, or the ring names nobody
	COUNT_UNKNOWN_PORT,    // dropped
	COUNT_BAD_PROTOCOL,    // dropped
	COUNT_FRAGMENT,        // dropped
	COUNT_IP_OPTIONS,      // dropped
	COUNT_MALFORMED,       // dropped: shorter than its headers say
	COUNT_ICMP_ERROR,      // forwarded to the member of the quoted flow
	COUNT_ICMP_STRAY,      // dropped: an ICMP error that quotes no flow of a service
	COUNT_ICMP_ECHO,       // forwarded
	COUNT_ICMP_OTHER,      // dropped
	COUNT_OVERSIZE,        // forwarded, but larger than the tunnel's MTU: the outer packet is fragmented
	COUNT_TUNNEL_ERROR,    // dropped: the kernel refused tunnel key or header
	COUNT_PROBE,           // our own packets to a member
	COUNT_PROBE_UNKNOWN,   // dropped: our own packet to an address that is no member
	COUNT_TUNNEL_IN,       // dropped: arrived through the tunnel
	COUNTERS,
};

// Only types that something refers to reach the object's type information, from
// which the Go names are made.
const volatile enum counter first_counter = COUNT_FORWARDED;

struct vip_key {
	__be32 addr;
	__be16 port;
	__u8 proto;
	__u8 pad;
};

struct service {
	__u32 pool;
};

struct member_key {
	__u32 pool;
	__be32 addr; // the member address, which names the member everywhere
};

// All that the node knows of a member, so that a restarted agent can go on
// without the store. The programs read vtep and state.
struct member {
	__be32 vtep;
	enum member_state state;
	__u16 probe_port; // host order
	__u8 pad[2];
	__u8 name[NAME_BYTES]; // zero-terminated
};

struct flow {
	__be32 saddr;
	__be32 daddr;
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 pad[3];
};

// How far a connection has come, as its client's packets tell. Zero, the value of an
// entry nobody filled in, is of no connection.
enum conn_state {
	CONN_NONE,
	CONN_NEW, // a SYN came
	CONN_OPEN,
	CONN_CLOSING,  // the client has sent a FIN
	CONN_RESET,    // the last packet was a RST
	CONN_DATAGRAM, // a flow of a protocol that does not say when it ends
};

// How long an entry is believed after the last packet, in seconds. Ports come round:
// an entry that outlives its connection would send the next connection of the same
// ports, which another L4 node placed by the ring, to a member that does not know it.
// The times are about those of Linux' own load balancer. An end that went another way,
// past this node, is not seen: such an entry is believed as long as an open one.
#define NEW_SECONDS 60
#define OPEN_SECONDS 900
#define CLOSING_SECONDS 60
#define RESET_SECONDS 10
#define DATAGRAM_SECONDS 300

struct conn {
	__be32 addr;  // member address
	__u32 seen;   // when the last packet came, in seconds since the machine started
	enum conn_state state;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_SERVICES);
	__type(key, struct vip_key);
	__type(value, struct service);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} services SEC(".maps");

// Every address that has a service, with the pool that answers its pings.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_VIPS);
	__type(key, __be32);
	__type(value, struct service);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} vips SEC(".maps");

struct ring {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RING_SLOTS);
	__type(key, __u32);
	__type(value, __be32); // member address, 0: nobody
};

// One ring for each pool. A ring is written completely before it is put here,
// so no packet ever meets half of one.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, MAX_POOLS);
	__type(key, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__array(values, struct ring);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_MEMBERS);
	__type(key, struct member_key);
	__type(value, struct member);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} members SEC(".maps");

// Member address to VTEP, for probes.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_MEMBERS);
	__type(key, __be32);
	__type(value, __be32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} vteps SEC(".maps");

// The connection table. When it is full the oldest entries go first; those that have
// expired stay until then, or until their ports begin a connection again.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1 << 18);
	__type(key, struct flow);
	__type(value, struct conn);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} conns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} counters SEC(".maps");

static __always_inline void count(__u32 index, __u64 n)
{
	__u64 *c = bpf_map_lookup_elem(&counters, &index);

	if (c)
		*c += n;
}

static __always_inline int drop(__u32 why)
{
	count(why, 1);
	return TC_ACT_SHOT;
}
