// Package capture owns what is known of the frames on a link: a [Ring] keeps the
// newest ones in memory, [Write] merges rings into one pcapng file that names the
// links, a [Stream] writes such a file while it happens, and [Sniff] listens on an
// interface of a node.
//
// It never changes, delays or loses a frame that it looks at, and it never drops
// one without counting it. Rings and streams are safe for concurrent use.
package capture
