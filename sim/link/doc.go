// Package link owns the network configuration of a node: its interfaces,
// addresses, routes, sysctls, packet drops, rate limits and nexthop groups. A [Stack] does all
// of it over netlink, on sockets opened inside the node's namespace once, so that
// no thread has to switch for an ordinary change.
//
// It never runs ip, nft or tc, never decides a name or a number (topology does),
// and never touches a queueing discipline but a rate limit or a netem that it made
// itself.
// A Stack is safe for concurrent use.
package link
