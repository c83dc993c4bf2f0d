// Package traffic owns clients: it sends HTTP/1.1 requests over connections
// whose identity and reuse it knows, alone (Session) or as a steady load
// (Stream), and records every one of them as an Op of sim/history.
//
// It never repeats a request by itself and never drops the record of one, even
// when it is stopped in the middle. It knows no lab: it takes a Dialer. It does
// not judge. Session and Stream are safe for concurrent use.
package traffic
