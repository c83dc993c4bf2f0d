package exchange

import (
	"bytes"
	"errors"
	"strings"
)

// ErrBadPath is a path that nginx (and so APISIX) answers with 400: a broken
// percent escape, an encoded NUL, or ".." above the root.
var ErrBadPath = errors.New("malformed request path")

// NormalizePath returns the path that routes are matched against, which is
// nginx's $uri: percent escapes decoded, "//" merged, "." and ".." resolved
// (after decoding, so that "%2e%2e" cannot slip through). raw is the path of
// the request target without query. A path that is already normal is returned
// as it is; otherwise the result lives in the arena.
func NormalizePath(a *Arena, raw string) (string, error) { return normalize(a, raw, false) }

// NormalizePathKeepingSlashes is NormalizePath for those to whom an escaped slash is no
// slash: it stays as "%2F" and ends no segment.
func NormalizePathKeepingSlashes(a *Arena, raw string) (string, error) {
	return normalize(a, raw, true)
}

func normalize(a *Arena, raw string, keep bool) (string, error) {
	if raw == "" || raw[0] != '/' {
		return "", ErrBadPath
	}
	if isNormal(raw) {
		return raw, nil
	}
	bad := false
	p := a.Append(len(raw), func(b []byte) []byte {
		b, bad = appendNormal(b, raw, keep)
		return b
	})
	if bad {
		return "", ErrBadPath
	}
	return p, nil
}

// isNormal tells whether there is nothing to do. It may say no too often:
// any segment that begins with a dot goes the long way.
func isNormal(p string) bool {
	for i := 0; i < len(p); i++ {
		switch p[i] {
		case '%':
			return false
		case '/':
			if i+1 < len(p) && (p[i+1] == '/' || p[i+1] == '.') {
				return false
			}
		}
	}
	return true
}

// appendNormal appends the normal form of raw to b and tells whether it is
// bad. The result is never longer than raw.
func appendNormal(b []byte, raw string, keep bool) (out []byte, bad bool) {
	base := len(b)
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c == '%' {
			if i+2 >= len(raw) {
				return b, true
			}
			hi, lo := Unhex(raw[i+1]), Unhex(raw[i+2])
			if hi < 0 || lo < 0 || hi|lo == 0 {
				return b, true
			}
			c = byte(hi<<4 | lo)
			i += 2
			if c == '/' && keep {
				b = append(b, "%2F"...)
				continue
			}
		}
		if c != '/' {
			b = append(b, c)
			continue
		}
		if b, bad = endSegment(b, base); bad {
			return b, true
		}
		if len(b) == base || b[len(b)-1] != '/' {
			b = append(b, '/')
		}
	}
	return endSegment(b, base)
}

// endSegment resolves the last segment of b when it is "." or "..". What it
// leaves ends with "/" in that case.
func endSegment(b []byte, base int) ([]byte, bool) {
	last := bytes.LastIndexByte(b[base:], '/')
	if last < 0 {
		return b, false
	}
	switch string(b[base+last+1:]) {
	case ".":
		return b[:base+last+1], false
	case "..":
		b = b[:base+last]
		up := bytes.LastIndexByte(b[base:], '/')
		if up < 0 {
			return b, true
		}
		return b[:base+up+1], false
	}
	return b, false
}

// Unhex is the value of a hexadecimal digit; -1: it is none.
func Unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// HostName returns the name of an authority as routes are matched against it
// (nginx's $host): without port, in lower case, without a trailing dot. The
// result is a view of authority where that is possible.
func HostName(a *Arena, authority string) string {
	h := authority
	if strings.HasPrefix(h, "[") {
		if end := strings.IndexByte(h, ']'); end >= 0 {
			h = h[:end+1]
		}
	} else if colon := strings.LastIndexByte(h, ':'); colon >= 0 {
		h = h[:colon]
	}
	h = strings.TrimSuffix(h, ".")
	for i := 0; i < len(h); i++ {
		if 'A' <= h[i] && h[i] <= 'Z' {
			return a.Append(len(h), func(b []byte) []byte {
				for j := 0; j < len(h); j++ {
					b = append(b, Lower(h[j]))
				}
				return b
			})
		}
	}
	return h
}
