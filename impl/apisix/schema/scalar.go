package schema

import (
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
)

func (s *Schema) checkString(v string, m manner) error {
	if s.minLength != nil && len(v) < *s.minLength {
		return m.errorf("string too short, expected at least %d, got %d", *s.minLength, len(v))
	}
	if s.maxLength != nil && len(v) > *s.maxLength {
		return m.errorf("string too long, expected at most %d, got %d", *s.maxLength, len(v))
	}
	if s.pattern != nil && !s.pattern.MatchString(v) {
		if m == quiet {
			return errBroken
		}
		return m.errorf("failed to match pattern %s with %s", Quote(s.patternText), Quote(v))
	}
	if s.format != "" {
		addr, err := netip.ParseAddr(v)
		if err != nil || addr.Zone() != "" || addr.Is4() != (s.format == "ipv4") {
			return m.errorf("expected valid %s address", s.format)
		}
	}
	return nil
}

func (s *Schema) checkNumber(n json.Number, m manner) error {
	if s.min == nil && s.above == nil && s.max == nil && s.below == nil {
		return nil
	}
	f, err := n.Float64()
	if err != nil && !math.IsInf(f, 0) {
		return nil
	}
	switch {
	case s.min != nil && f < *s.min:
		return m.errorf("expected %s to be at least %s", luaNumber(f), luaNumber(*s.min))
	case s.above != nil && f <= *s.above:
		return m.errorf("expected %s to be greater than %s", luaNumber(f), luaNumber(*s.above))
	case s.max != nil && f > *s.max:
		return m.errorf("expected %s to be at most %s", luaNumber(f), luaNumber(*s.max))
	case s.below != nil && f >= *s.below:
		return m.errorf("expected %s to be smaller than %s", luaNumber(f), luaNumber(*s.below))
	}
	return nil
}

// luaNumber prints a number as Lua's tostring does (%.14g).
func luaNumber(f float64) string {
	text := strconv.FormatFloat(f, 'g', 14, 64)
	if mantissa, exp, ok := strings.Cut(text, "e"); ok {
		return trimZeros(mantissa) + "e" + exp
	}
	return trimZeros(text)
}

func trimZeros(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// Quote prints a string as LuaJIT's %q does: control characters are decimal numbers, of
// three digits before a digit.
func Quote(s string) string {
	b := make([]byte, 1, len(s)+2)
	b[0] = '"'
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"', c == '\\', c == '\n':
			b = append(b, '\\', c)
		case (c < ' ' || c == 0x7f) && i+1 < len(s) && s[i+1]-'0' <= 9:
			b = fmt.Appendf(b, `\%03d`, c)
		case c < ' ', c == 0x7f:
			b = fmt.Appendf(b, `\%d`, c)
		default:
			b = append(b, c)
		}
	}
	return string(append(b, '"'))
}
