package std

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// fill makes the exchange's request from the library's.
func fill(x *exchange.Exchange, r *http.Request) error {
	if why := misnamed(r); why != h1.NoReason {
		return h1.Malformed{Reason: why}
	}
	q := &x.Request
	q.Stable = true
	q.Method, q.Authority, q.Scheme = r.Method, r.Host, "http"
	if c := connOf(r.Context()); c != nil && c.secure != nil {
		q.Scheme, q.TLS = "https", c.secure.client()
	}
	q.Proto = exchange.HTTP11
	switch {
	case r.ProtoMajor == 2:
		q.Proto = exchange.HTTP2
		if why := malformed(r, q.Scheme); why != h1.NoReason {
			return h1.Malformed{Reason: why}
		}
		delete(r.Header, "Host")
	case r.ProtoMinor == 0:
		q.Proto = exchange.HTTP10
	}
	q.Host = strings.Clone(exchange.HostName(&x.Arena, r.Host))
	q.Target = originForm(r.RequestURI)
	path, query, _ := strings.Cut(q.Target, "?")
	q.Query = query
	var err error
	if q.Path, err = exchange.NormalizePath(&x.Arena, path); err != nil {
		return err
	}
	q.Remote, _ = netip.ParseAddrPort(r.RemoteAddr)
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok {
		q.Local = a.AddrPort()
	}
	q.Remote, q.Local = unmap(q.Remote), unmap(q.Local)
	q.Fields = appendHeader(q.Fields, r.Header)
	q.BodyLength, q.SaysEmpty = r.ContentLength, r.ContentLength == 0 && r.Header.Get("Content-Length") != ""
	q.Upgrade = upgradeOf(r.Header)
	return nil
}

// misnamed says what Connection or Trailer name that they must not. The names that
// Trailer announces of a body in chunks the library has made the keys of a map.
func misnamed(r *http.Request) h1.Reason {
	if slices.ContainsFunc(r.Header["Connection"], h1.BadConnection) {
		return h1.ReasonConnection
	}
	if slices.ContainsFunc(r.Header["Trailer"], h1.BadTrailer) {
		return h1.ReasonTrailer
	}
	for name := range r.Trailer {
		if h1.BadTrailer(name) {
			return h1.ReasonTrailer
		}
	}
	return h1.NoReason
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// originForm cuts scheme and authority off an absolute-form target. (The
// library has taken the authority for the host already.)
func originForm(target string) string {
	_, rest, ok := strings.Cut(target, "://")
	if strings.HasPrefix(target, "/") || !ok {
		return target
	}
	i := strings.IndexAny(rest, "/?")
	switch {
	case i < 0:
		return "/"
	case rest[i] == '?':
		return "/" + rest[i:]
	}
	return rest[i:]
}

// framing tells the fields that the library writes itself.
func framing(name string) bool {
	switch len(name) {
	case len("Host"):
		return exchange.EqualFold(name, "Host")
	case len("Content-Length"):
		return exchange.EqualFold(name, "Content-Length")
	case len("Transfer-Encoding"):
		return exchange.EqualFold(name, "Transfer-Encoding")
	case len("Trailer"):
		return exchange.EqualFold(name, "Trailer")
	}
	return false
}

// ofConnection tells the fields that HTTP/2 does not know (RFC 9113, 8.2.2).
func ofConnection(f exchange.Field) bool {
	for _, name := range [...]string{"Connection", "Proxy-Connection", "Keep-Alive", "Upgrade", "HTTP2-Settings"} {
		if exchange.EqualFold(f.Name, name) {
			return true
		}
	}
	return exchange.EqualFold(f.Name, "TE") && f.Value != "trailers"
}

func appendHeader(to exchange.Fields, h http.Header) exchange.Fields {
	for name, values := range h {
		for _, v := range values {
			to = append(to, exchange.Field{Name: name, Value: v})
		}
	}
	return to
}

// upgradeOf returns the protocol a message switches to, if it does.
func upgradeOf(h http.Header) string {
	for _, v := range h["Connection"] {
		for t := range exchange.Tokens(v) {
			if exchange.EqualFold(t, "Upgrade") {
				return h.Get("Upgrade")
			}
		}
	}
	return ""
}
