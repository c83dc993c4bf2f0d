// Package etcd owns what the testbed asks of an etcd member: how it is, what it
// holds at which revision, and that it forgets old revisions. It speaks etcd's
// JSON gateway over HTTP and needs no client library, so it stands wherever a
// traffic.Dialer does.
//
// It never writes a key. A Member asks the one member that it was made for and no
// other, keeps no connection and repeats nothing: what it says about a member is
// what that member said. Every call ends within Limit. A Member is safe for
// concurrent use.
package etcd
