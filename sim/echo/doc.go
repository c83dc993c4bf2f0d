// Package echo owns the backend that tells what it saw: an HTTP/1.1 server
// that says who it is, records every request it receives (an Arrival of
// sim/history) and answers with a JSON description of the request.
//
// It reads requests with a parser of its own, because evidence needs the raw
// target and the header lines in the order and spelling that arrived. It never
// judges, knows no lab and needs no gateway: it serves any net.Listener.
//
// What it does with a request can be asked for in request headers (Delay,
// Status, ...; see behaviour.go) or, for all requests of one server, with
// SetBehaviour and SetHealth. All methods of Server are safe for concurrent use.
package echo
