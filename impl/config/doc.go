// Package config owns the Snapshot: all objects of the gateway at a revision,
// compiled to what a request needs. It is pure: bytes in, values out; no
// network, no clock, no logger.
//
// A Snapshot is immutable and safe for concurrent use; a request takes one and
// keeps it from its first byte to its last. Apply returns a new one that shares
// everything the batch did not touch, so one changed object costs the same
// whatever the number of others. References (route to service to upstream) are
// followed when a request asks, not when an object changes: changing an
// upstream that ten thousand routes use changes one object.
//
// An object that is refused keeps its previous version, and is reported; it
// never stands in the way of the others. What this gateway cannot do it
// refuses. Plugins that it cannot run are left out, unless they guard something: a
// route whose authentication were silently left out would be open to everybody, and
// is in force, but closed.
package config
