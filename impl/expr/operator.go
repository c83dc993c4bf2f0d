package expr

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// newTest compiles an operator with its right side.
func newTest(op string, right any) (test, error) {
	switch strings.ToLower(op) {
	case "==":
		return equals(right), nil
	case "~=":
		eq := equals(right)
		return func(l string, ok bool) bool { return !eq(l, ok) }, nil
	case ">", ">=", "<", "<=":
		return ordered(op, right), nil
	case "~~":
		return matches(right, "")
	case "~*":
		return matches(right, "(?i)")
	case "in":
		return in(right), nil
	case "has":
		return never, nil // every variable we have is text, and "has" asks for a list
	case "ipmatch":
		return ipMatch(right)
	}
	return nil, fmt.Errorf("invalid operator '%s'", op)
}

// equals compares as Lua does: a number on the right converts the left, any
// other type on the right must be text to be equal. null means absent.
func equals(right any) test {
	switch r := right.(type) {
	case nil:
		return func(_ string, ok bool) bool { return !ok }
	case json.Number:
		want, err := r.Float64()
		return func(l string, ok bool) bool {
			got, isNum := number(l)
			return ok && isNum && err == nil && got == want
		}
	case string:
		return func(l string, ok bool) bool { return ok && l == r }
	}
	return never
}

// never is the test that no variable passes.
func never(string, bool) bool { return false }

func ordered(op string, right any) test {
	var want float64
	var isNum bool
	switch r := right.(type) {
	case json.Number:
		want, isNum = number(r.String())
	case string:
		want, isNum = number(r)
	}
	return func(l string, ok bool) bool {
		got, leftNum := number(l)
		if !ok || !leftNum || !isNum {
			return false
		}
		switch op {
		case ">":
			return got > want
		case ">=":
			return got >= want
		case "<":
			return got < want
		}
		return got <= want
	}
}

// number converts as Lua's tonumber does for decimal text.
func number(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	if s == "" || strings.ContainsAny(s, "_pPnNiI") {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// in compares without conversion: a number in the list never equals text. Nothing is in
// what is no list.
func in(right any) test {
	list, ok := right.([]any)
	if !ok {
		return never
	}
	set := make(map[string]bool, len(list))
	for _, e := range list {
		if s, ok := e.(string); ok {
			set[s] = true
		}
	}
	return func(l string, ok bool) bool { return ok && set[l] }
}

func ipMatch(right any) (test, error) {
	list, ok := right.([]any)
	if !ok {
		list = []any{right}
	}
	var nets []netip.Prefix
	for _, e := range list {
		s, _ := e.(string)
		p, err := ParseNet(s)
		if err != nil {
			return nil, ErrIP
		}
		nets = append(nets, p)
	}
	return func(l string, ok bool) bool {
		a, err := netip.ParseAddr(l)
		if !ok || err != nil {
			return false
		}
		for _, n := range nets {
			if n.Contains(a.Unmap()) {
				return true
			}
		}
		return false
	}, nil
}

// ParseNet parses an address or a CIDR; an address is the net of itself.
func ParseNet(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil {
			return netip.Prefix{}, err
		}
		return a.Unmap().Prefix(a.Unmap().BitLen())
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}
