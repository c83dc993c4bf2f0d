// Package history owns the record of who changed what: each transaction of the Admin
// API writes, with its changes, an entry that holds the objects as they were before. It
// tells what the configuration was at a revision, and how to go back to it.
//
// The revision of an entry is that of its key: the transaction that made the change
// wrote it. A Store and a Log are safe for concurrent use; the rest are values.
package history
