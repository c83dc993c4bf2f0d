package h1

import "github.com/unilb/unilb/impl/exchange"

// Connection and Trailer name other fields. What they must not name is refused with
// the head, before anything of the request has gone anywhere.

// forEveryone tells the fields that say to whom a request goes and where it ends. They
// are for every recipient and no options of one connection (RFC 9110, 7.6.1): who
// names one in Connection would have the next reader lose it and see another message.
// Other fields that are named so are the client's to give, and to take away.
func forEveryone(name string) bool {
	return exchange.EqualFold(name, "Host") || exchange.EqualFold(name, "Content-Length") || exchange.EqualFold(name, "Transfer-Encoding")
}

// BadConnection tells whether a value of Connection names Host or what frames the body.
func BadConnection(value string) bool {
	for t := range exchange.Tokens(value) {
		if forEveryone(t) {
			return true
		}
	}
	return false
}

// BadTrailer tells whether a value of Trailer announces a field that frames, routes or
// authorises (RFC 9110, 6.5.1). One that comes unannounced is dropped: the head, which
// it could have changed, has gone by then. See DropTrailer.
func BadTrailer(value string) bool {
	for t := range exchange.Tokens(value) {
		if frames(t) || exchange.EqualFold(t, "Host") || exchange.EqualFold(t, "Authorization") || exchange.EqualFold(t, "Proxy-Authorization") {
			return true
		}
	}
	return false
}
