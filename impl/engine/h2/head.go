package h2

import (
	"strings"

	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// head makes the request of what was heard. Fields are all but Host and what frames
// the body, as in h1.ParseRequest.
func (k *block) head(r *exchange.Request, end bool) (Head, Reason) {
	r.Fields = k.fields
	if k.bad != NoReason {
		return Head{}, k.bad
	}
	if why := k.setTarget(r); why != NoReason {
		return Head{}, why
	}
	switch {
	case end && k.length > 0:
		return Head{}, ReasonLengthDiffers
	case end:
		r.BodyLength = 0
	default:
		r.BodyLength = k.length
	}
	r.SaysEmpty = k.length == 0
	if k.cookies > 1 {
		k.joinCookies()
		r.Fields = k.fields
	}
	r.Method, r.Proto, r.Upgrade = k.method, exchange.HTTP2, ""
	// Nothing is a view: the arena lives as long as the request.
	r.Stable = true
	return Head{End: end, Expect: k.expect && r.BodyLength != 0, Trailer: k.trailer}, NoReason
}

// setTarget makes Authority, Host, Target, Path and Query.
func (k *block) setTarget(r *exchange.Request) Reason {
	connect := k.method == "CONNECT"
	switch {
	case k.given&pseudoMethod == 0:
		return ReasonPseudoMissing
	case !h1.IsToken(k.method), len(k.method) > h1.MaxMethod:
		return ReasonMethod
	case connect && k.given&(pseudoScheme|pseudoPath) != 0:
		return ReasonPseudo
	case connect && k.given&pseudoAuthority == 0:
		return ReasonPseudoMissing
	case !connect && k.given&(pseudoScheme|pseudoPath) != pseudoScheme|pseudoPath:
		return ReasonPseudoMissing
	case !connect && !exchange.EqualFold(k.scheme, "http") && !exchange.EqualFold(k.scheme, "https"):
		return ReasonScheme
	}
	if why := k.setAuthority(r); why != NoReason {
		return why
	}
	target := k.path
	if connect {
		target = k.authority
	} else if target == "" || target[0] != '/' || !h1.IsTarget(target) { // nor "*", as in h1
		return ReasonTarget
	}
	r.Method = k.method
	if why := h1.SetTarget(r, k.arena, target); why != h1.NoReason {
		return reasonOf(why)
	}
	r.Host = exchange.HostName(k.arena, r.Authority)
	return NoReason
}

// setAuthority takes :authority, or Host where there is none. Where both are, they must
// say the same.
func (k *block) setAuthority(r *exchange.Request) Reason {
	r.Authority = k.authority
	if k.given&pseudoAuthority == 0 {
		r.Authority = k.host
	}
	switch {
	case k.given&pseudoAuthority == 0 && !k.hosted:
		return ReasonHostMissing
	case !h1.ValidAuthority(r.Authority), k.hosted && !h1.ValidAuthority(k.host):
		return ReasonHost
	case k.hosted && !exchange.EqualFold(k.plain(k.host), k.plain(r.Authority)):
		return ReasonHostDiffers
	}
	return NoReason
}

// plain cuts the port of the scheme off an authority.
func (k *block) plain(authority string) string {
	port := ":80"
	if exchange.EqualFold(k.scheme, "https") {
		port = ":443"
	}
	return strings.TrimSuffix(strings.TrimSuffix(authority, port), ":")
}

// joinCookies makes one field of the pieces of Cookie (RFC 9113, 8.2.3).
func (k *block) joinCookies() {
	n := 0
	for i := range k.fields {
		if k.fields[i].Name == "cookie" {
			n += len("; ") + len(k.fields[i].Value)
		}
	}
	whole := k.arena.Append(n, func(b []byte) []byte {
		for i := range k.fields {
			if k.fields[i].Name != "cookie" {
				continue
			}
			if i > k.cookie {
				b = append(b, "; "...)
			}
			b = append(b, k.fields[i].Value...)
		}
		return b
	})
	kept := k.fields[:0]
	for i, f := range k.fields {
		switch {
		case i == k.cookie:
			kept = append(kept, exchange.Field{Name: f.Name, Value: whole})
		case f.Name != "cookie":
			kept = append(kept, f)
		}
	}
	k.fields = kept
}
