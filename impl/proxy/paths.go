package proxy

import (
	"strings"

	"github.com/unilb/unilb/impl/exchange"
)

// Paths are settings of APISIX for the path that routes are matched by. The zero Paths:
// as nginx has it in $uri.
type Paths struct {
	// EncodedSlash keeps a slash that came as %2F from being one
	// (match_uri_encoded_slash). It is for the match alone.
	EncodedSlash bool
	// TailSlash drops a slash at the end (delete_uri_tail_slash). The root stays: APISIX
	// makes it a path that no route can have.
	TailSlash bool
	// Servlet drops ";" and what follows it in each segment, and refuses paths that could
	// be something else afterwards (normalize_uri_like_servlet).
	Servlet bool
}

// Apply makes Request.Path what the settings want and returns the path to match by. ok is
// false for a path that is answered with 400. Targets get what the client sent.
func (p Paths) Apply(x *exchange.Exchange) (match string, ok bool) {
	r := &x.Request
	if r.Path, ok = p.shape(&x.Arena, r.Path); !ok {
		return "", false
	}
	if !p.EncodedSlash {
		return r.Path, true
	}
	raw, _, _ := strings.Cut(r.Target, "?")
	if !strings.Contains(raw, "%2F") && !strings.Contains(raw, "%2f") {
		return r.Path, true
	}
	match, err := exchange.NormalizePathKeepingSlashes(&x.Arena, raw)
	if err != nil {
		return "", false
	}
	return p.shape(&x.Arena, match)
}

func (p Paths) shape(a *exchange.Arena, path string) (shaped string, ok bool) {
	if p.Servlet && strings.Contains(path, ";") {
		if path, ok = withoutParameters(a, path); !ok {
			return "", false
		}
	}
	if p.TailSlash && len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	return path, true
}

// withoutParameters drops parameters of segments. A segment that is empty without its own,
// or would be resolved as dots by whoever reads the path next, is a way around what
// routes say; only the last one may be empty.
func withoutParameters(a *exchange.Arena, path string) (plain string, ok bool) {
	ok = true
	segments := strings.Split(path, "/")
	plain = a.Append(len(path), func(b []byte) []byte {
		for i, seg := range segments {
			if i > 0 {
				b = append(b, '/')
			}
			name, _, cut := strings.Cut(seg, ";")
			switch strings.ToLower(name) {
			case ".", "..", "%2e", "%2e%2e", "%2e.", ".%2e":
				ok = ok && !cut
			case "":
				ok = ok && (!cut || i == len(segments)-1)
			}
			b = append(b, name...)
		}
		return b
	})
	return plain, ok
}
