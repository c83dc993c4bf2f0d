// Which member a flow goes to.

#pragma once

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "maps.h"

static __always_inline __u32 mix(__u32 h)
{
	h ^= h >> 16;
	h *= 0x85ebca6b;
	h ^= h >> 13;
	h *= 0xc2b2ae35;
	return h ^ h >> 16;
}

// Without a seed: every L4 node must find the same slot for a flow.
static __always_inline __u32 flow_slot(const struct flow *f)
{
	__u32 h = mix(bpf_ntohl(f->saddr) ^ 0x9e3779b9);

	h = mix(h ^ bpf_ntohl(f->daddr));
	h = mix(h ^ ((__u32)bpf_ntohs(f->sport) << 16 | bpf_ntohs(f->dport)));
	return mix(h ^ f->proto) % RING_SLOTS;
}

static __always_inline const struct member *by_ring(const struct flow *f, __u32 pool, struct member_key *key)
{
	__u32 slot = flow_slot(f);
	void *ring = bpf_map_lookup_elem(&rings, &pool);
	__be32 *addr;

	if (!ring)
		return NULL;
	addr = bpf_map_lookup_elem(ring, &slot);
	if (!addr || !*addr)
		return NULL;
	key->addr = *addr;
	return bpf_map_lookup_elem(&members, key);
}

// A coarse clock: some milliseconds do not matter here, and it costs less.
static __always_inline __u32 seconds(void)
{
	return bpf_ktime_get_coarse_ns() / 1000000000;
}

static __always_inline bool expired(const struct conn *c, __u32 now)
{
	// Another CPU may have seen a packet, and the next second, before us.
	__s32 idle = now - c->seen;

	switch (c->state) {
	case CONN_NEW:
		return idle > NEW_SECONDS;
	case CONN_OPEN:
		return idle > OPEN_SECONDS;
	case CONN_CLOSING:
		return idle > CLOSING_SECONDS;
	case CONN_RESET:
		return idle > RESET_SECONDS;
	case CONN_DATAGRAM:
		return idle > DATAGRAM_SECONDS;
	default:
		return true;
	}
}

// remember puts a flow into the table.
static __always_inline void remember(const struct flow *f, __be32 addr, enum conn_state state, __u32 now)
{
	struct conn c = {.addr = addr, .seen = now, .state = state};

	bpf_map_update_elem(&conns, f, &c, BPF_ANY);
}

// by_table follows the connection table if the flow is there, has not expired, and
// its member may keep connections. The liveness of the member is looked up for each
// packet: an entry must not outlive its member. c is the entry.
static __always_inline const struct member *by_table(const struct flow *f, struct member_key *key, __u32 now, struct conn **c)
{
	const struct member *m;

	*c = bpf_map_lookup_elem(&conns, f);
	if (!*c || expired(*c, now))
		return NULL;
	key->addr = (*c)->addr;
	m = bpf_map_lookup_elem(&members, key);
	if (m && (m->state == MEMBER_UP || m->state == MEMBER_DRAINING))
		return m;
	count(COUNT_MOVED, 1);
	return NULL;
}
