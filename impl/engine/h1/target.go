package h1

import (
	"net/netip"
	"strings"

	"github.com/unilb/unilb/impl/exchange"
)

// SetTarget makes Target, Path and Query of a target as it was sent, which IsTarget
// must hold for. The authority of an absolute target takes the place of Host (RFC
// 9112, 3.2.2), which Authority holds. It returns NoReason, or why there is none.
// What it makes may live in the arena.
func SetTarget(r *exchange.Request, a *exchange.Arena, target string) Reason {
	if r.Method == "CONNECT" {
		return setConnect(r, target)
	}
	if target[0] != '/' {
		authority, rest, ok := cutAbsolute(target)
		switch {
		case !ok:
			return ReasonTarget
		case !ValidAuthority(authority):
			return ReasonHost
		}
		r.Authority, target = authority, rest
		if target == "" || target[0] == '?' {
			target = a.Concat("/", target)
		}
	}
	r.Target, r.Query = target, ""
	path := target
	if i := strings.IndexByte(target, '?'); i >= 0 {
		path, r.Query = target[:i], target[i+1:]
	}
	var err error
	if r.Path, err = exchange.NormalizePath(a, path); err != nil {
		return ReasonPath
	}
	return NoReason
}

// setConnect takes host and port, the only target of CONNECT.
func setConnect(r *exchange.Request, target string) Reason {
	_, port := cutPort(target)
	switch {
	case !ValidAuthority(target), port == "":
		return ReasonTarget
	}
	r.Authority, r.Target, r.Path, r.Query = target, target, "", ""
	return NoReason
}

// cutAbsolute cuts a target in absolute form of the schemes that we serve. rest is
// what follows the authority.
func cutAbsolute(target string) (authority, rest string, ok bool) {
	i := strings.Index(target, "://")
	if i < 0 || !exchange.EqualFold(target[:i], "http") && !exchange.EqualFold(target[:i], "https") {
		return "", "", false
	}
	authority = target[i+len("://"):]
	if end := strings.IndexAny(authority, "/?"); end >= 0 {
		authority, rest = authority[:end], authority[end:]
	}
	return authority, rest, true
}

// ValidAuthority tells whether s is a host with an optional port (RFC 3986, 3.2),
// not empty. A name has no percent escapes: nobody needs them in a host, and one
// reader decodes what the next does not.
func ValidAuthority(s string) bool {
	if strings.HasPrefix(s, "[") {
		return validLiteral(s)
	}
	i := 0
	for i < len(s) && has(s[i], inHost) {
		i++
	}
	return i > 0 && (i == len(s) || validPort(s[i:]))
}

// validLiteral tells whether s is an IPv6 address in brackets with an optional port.
func validLiteral(s string) bool {
	end := strings.IndexByte(s, ']')
	if end < 0 || strings.IndexByte(s[:end], '%') >= 0 {
		return false
	}
	ip, err := netip.ParseAddr(s[1:end])
	return err == nil && ip.Is6() && (end+1 == len(s) || validPort(s[end+1:]))
}

// validPort tells whether s is a colon and a port, which may be empty.
func validPort(s string) bool {
	n := 0
	for i := 1; i < len(s); i++ {
		d := s[i] - '0'
		if d > 9 {
			return false
		}
		if n = n*10 + int(d); n > 65535 {
			return false
		}
	}
	return s[0] == ':'
}

// cutPort splits a valid authority.
func cutPort(s string) (host, port string) {
	colon := strings.LastIndexByte(s, ':')
	if colon < 0 || strings.IndexByte(s[colon:], ']') >= 0 {
		return s, ""
	}
	return s[:colon], s[colon+1:]
}
