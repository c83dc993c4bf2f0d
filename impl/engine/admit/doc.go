// Package admit owns what every engine counts of what it has let in: connections, of
// which there is room for some, and requests, for whose end a drain waits; and what
// a client is told who speaks HTTP where TLS is spoken. All of it
// is safe for concurrent use.
package admit
