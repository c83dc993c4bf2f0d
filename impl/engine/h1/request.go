package h1

import (
	"strings"

	"github.com/unilb/unilb/impl/exchange"
)

// ParseRequest reads one head of a request, as Scan.Head found it, into r and f.
// Strings of r are views into head, or live in the arena.
//
// Target becomes origin form: of an absolute-form target the authority is taken,
// whatever Host says; Host must be there and well-formed all the same. "*" is refused for every method. CONNECT has
// its authority for a Target and no Path: it is not for the pipeline.
//
// Scheme, Remote and Local are left alone. Fields are all but Host and what frames
// the body: Content-Length, Transfer-Encoding, Trailer. After an error r holds
// nothing that may be used.
func ParseRequest(head []byte, r *exchange.Request, a *exchange.Arena, f *Framing) error {
	s := view(head)
	if !whole(s) {
		return Malformed{ReasonHead, 0}
	}
	s = strings.TrimPrefix(s, "\r\n")
	target, next, bad := requestLine(s, r)
	if bad != NoReason {
		return Malformed{bad, 1}
	}
	h := heard{old: r.Proto == exchange.HTTP10}
	var err error
	if r.Fields, err = parseFields(r.Fields[:0], s, next, 2, &h); err != nil {
		return err
	}
	if !h.hosted && !h.old {
		return Malformed{ReasonHostMissing, 0}
	}
	r.Authority, r.Stable = h.host, false
	if bad := SetTarget(r, a, target); bad != NoReason {
		return Malformed{bad, 1}
	}
	r.Host = exchange.HostName(a, r.Authority)
	length := h.length
	if h.coded {
		length = Chunked
	}
	*f = h.framing(length)
	r.BodyLength, r.SaysEmpty, r.Upgrade = length, f.ContentLength == 0, f.Upgrade
	return nil
}

const (
	http11 = "HTTP/1.1"
	http10 = "HTTP/1.0"
)

// requestLine reads method and version into r.
func requestLine(s string, r *exchange.Request) (target string, next int, bad Reason) {
	i := 0
	for has(s[i], inToken) {
		i++
	}
	switch {
	case s[i] == '\r' && i > 0:
		return "", 0, ReasonRequestLine
	case s[i] != ' ' || i == 0:
		return "", 0, ReasonMethod
	}
	r.Method = s[:i]
	begin := i + 1
	for i = begin; has(s[i], inTarget); i++ {
	}
	target = s[begin:i]
	switch {
	case s[i] == '\r' && s[i+1] != '\n':
		return "", 0, ReasonBareCR
	case s[i] == '\r', target == "":
		return "", 0, ReasonRequestLine
	case s[i] != ' ':
		return "", 0, ReasonTarget
	}
	version := s[i+1:]
	if len(version) < len(http11)+2 {
		return "", 0, ReasonRequestLine
	}
	switch version[:len(http11)] {
	case http11:
		r.Proto = exchange.HTTP11
	case http10:
		r.Proto = exchange.HTTP10
	default:
		return "", 0, badVersion(version)
	}
	if version[len(http11)] != '\r' || version[len(http11)+1] != '\n' {
		return "", 0, badVersion(version)
	}
	return target, i + 1 + len(http11) + 2, NoReason
}

// badVersion tells another version from what is none.
func badVersion(s string) Reason {
	digit := func(c byte) bool { return '0' <= c && c <= '9' }
	end := strings.IndexAny(s, "\r\n")
	switch {
	case end >= 0 && (s[end] == '\n' || s[end+1] != '\n'):
		if s[end] == '\n' {
			return ReasonBareLF
		}
		return ReasonBareCR
	case end == len(http11) && s[:5] == "HTTP/" && digit(s[5]) && s[6] == '.' && digit(s[7]):
		return ReasonVersion
	}
	return ReasonRequestLine
}
