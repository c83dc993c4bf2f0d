package schema

import (
	"encoding/json"
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
		return m.errorf("failed to match pattern %s with %s", quote(s.patternText), quote(v))
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

// quote prints a string as Lua's %q does.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", "\\\n", "\r", `\r`, "\x00", `\0`).Replace(s) + `"`
}
