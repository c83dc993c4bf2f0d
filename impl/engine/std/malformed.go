package std

import (
	"net/http"
	"strings"

	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// malformed says what is wrong with a request of HTTP/2 that the library takes: what
// HTTP/1.1 could not say, two hosts, and a length that is none or not that of a body which
// is none (RFC 9113, 8.1.1, 8.2.1, 8.3.1). scheme is that of the connection.
func malformed(r *http.Request, scheme string) h1.Reason {
	hosts := r.Header["Host"]
	switch {
	case !h1.IsToken(r.Method), len(r.Method) > h1.MaxMethod:
		return h1.ReasonMethod
	case !strings.HasPrefix(r.RequestURI, "/"), !h1.IsTarget(r.RequestURI):
		return h1.ReasonTarget
	case r.Host == "":
		return h1.ReasonHostMissing
	case len(hosts) > 1:
		return h1.ReasonHostRepeated
	case !h1.ValidAuthority(r.Host), len(hosts) == 1 && !sameHost(hosts[0], r.Host, scheme):
		return h1.ReasonHost
	}
	for _, values := range r.Header {
		for _, v := range values {
			if strings.Trim(v, " \t") != v {
				return h1.ReasonControl
			}
		}
	}
	return malformedLength(r)
}

func malformedLength(r *http.Request) h1.Reason {
	lengths := r.Header["Content-Length"]
	if len(lengths) == 0 {
		return h1.NoReason
	}
	n, ok := h1.ParseLength(lengths[0])
	switch {
	case len(lengths) > 1:
		return h1.ReasonLengthRepeated
	case !ok, n != r.ContentLength: // no body follows
		return h1.ReasonLength
	}
	return h1.NoReason
}

// sameHost compares without the port of the scheme.
func sameHost(a, b, scheme string) bool {
	port := ":80"
	if scheme == "https" {
		port = ":443"
	}
	plain := func(s string) string { return strings.TrimSuffix(strings.TrimSuffix(s, port), ":") }
	return exchange.EqualFold(plain(a), plain(b))
}
