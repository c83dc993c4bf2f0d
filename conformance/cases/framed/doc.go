// Package framed owns exchanges over HTTP/2 frame by frame: a client that sends the
// fields and frames that it is told, and not what HTTP allows, and that keeps what
// comes for each stream. Every request that it sends is an Op. Nothing here judges.
//
// A Conn and its Streams are safe for concurrent use. A goroutine of the connection
// reads all the time, answers SETTINGS and PING, and opens windows as Options say.
package framed
