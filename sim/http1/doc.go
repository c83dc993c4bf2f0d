// Package http1 owns the reading of HTTP/1.1 messages as evidence: heads with
// their lines in the order and spelling that arrived, and bodies with their
// framing. Clients and backends of the testbed share it.
//
// It is lenient where that helps to see what arrived (bare LF, any characters in
// values) and strict where two readings would be possible (no colon, folded
// lines, two lengths). It writes nothing and judges nothing. A value belongs to
// one goroutine at a time.
package http1
