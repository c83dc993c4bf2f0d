package h2

import (
	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// heard is what the fields of a block say about the message itself.
type heard struct {
	method, scheme, authority, path string
	status                          string
	given                           pseudo // which of them have come
	regular                         bool   // a field has come that is none of them

	host, trailer          string
	hosted, expect, traced bool
	length                 int64 // Content-Length; -1: none
	cookies                int   // pieces of Cookie
	cookie                 int   // where the first is among the fields
	bytes                  int   // of trailers
}

// pseudo is a set of pseudo fields.
type pseudo uint8

const (
	pseudoMethod pseudo = 1 << iota
	pseudoScheme
	pseudoAuthority
	pseudoPath
	pseudoStatus
)

// hearPseudo takes a pseudo field.
func (k *block) hearPseudo(name, value string) Reason {
	var which pseudo
	var to *string
	switch name {
	case ":method":
		which, to = pseudoMethod, &k.method
	case ":scheme":
		which, to = pseudoScheme, &k.scheme
	case ":authority":
		which, to = pseudoAuthority, &k.authority
	case ":path":
		which, to = pseudoPath, &k.path
	case ":status":
		which, to = pseudoStatus, &k.status
	}
	switch {
	case which == 0, k.behind, k.answer != (which == pseudoStatus):
		return ReasonPseudo
	case k.regular:
		return ReasonPseudoOrder
	case k.given&which != 0:
		return ReasonPseudoRepeated
	}
	k.given |= which
	*to = value
	return NoReason
}

// checkField tells what is wrong with the bytes of a field (RFC 9113, 8.2.1).
func checkField(name, value string) Reason {
	if !h1.IsLowerToken(name) {
		if h1.IsToken(name) {
			return ReasonUpperCase
		}
		return ReasonName
	}
	if n := len(value); n > 0 {
		if h1.ValueEnd(value, 0) != n {
			return ReasonControl
		}
		if a, z := value[0], value[n-1]; a == ' ' || a == '\t' || z == ' ' || z == '\t' {
			return ReasonBlank
		}
	}
	return NoReason
}

// connectionOnly tells the fields that HTTP/2 does not have (RFC 9113, 8.2.2).
func connectionOnly(name, value string) Reason {
	switch name {
	case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade":
		return ReasonConnection
	case "te":
		if value != "trailers" {
			return ReasonTE
		}
	}
	return NoReason
}

// hear takes a field and tells whether it belongs to those that the pipeline sees.
// What it refuses is in bad.
func (k *block) hear(name, value string) bool {
	switch name {
	case "te", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade":
		why := connectionOnly(name, value)
		k.refuse(why)
		return why == NoReason
	case "host":
		if k.hosted {
			k.refuse(ReasonHostRepeated)
		}
		k.hosted, k.host = true, value
		return false
	case "content-length":
		return k.hearLength(value)
	case "trailer":
		return k.hearTrailer(value)
	case "expect":
		k.expect = k.expect || exchange.EqualFold(value, "100-continue")
	case "cookie":
		if k.cookies++; k.cookies > 1 {
			k.count-- // it becomes one field with the first
		} else {
			k.cookie = len(k.fields)
		}
	}
	return true
}

func (k *block) hearLength(value string) bool {
	n, ok := h1.ParseLength(value)
	switch {
	case k.length >= 0:
		k.refuse(ReasonLengthRepeated)
	case !ok:
		k.refuse(ReasonLength)
	}
	k.length = n
	return false
}

// hearTrailer takes the names of trailers, of which the first field counts, as in h1.
func (k *block) hearTrailer(value string) bool {
	if h1.BadTrailer(value) {
		k.refuse(ReasonTrailer)
	}
	if !k.traced {
		k.traced, k.trailer = true, value
	}
	return false
}
