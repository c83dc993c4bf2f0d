package expr

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// newTest compiles an operator with its right side. text is the right of its term.
func newTest(op string, right any) (_ test, text string, err error) {
	var t test
	switch strings.ToLower(op) {
	case "==":
		t, text = equals(right)
	case "~=":
		t, text = differs(right)
	case ">", ">=", "<", "<=":
		t = ordered(op, right)
	case "~~":
		t, err = matches(right, "")
	case "~*":
		t, err = matches(right, "(?i)")
	case "in":
		t = in(right)
	case "has":
		t = never // every variable we have is text, and "has" asks for a list
	case "ipmatch":
		t, err = ipMatch(right)
	default:
		err = fmt.Errorf("invalid operator '%s'", op)
	}
	return t, text, err
}

// equals compares as Lua does: a number on the right converts the left, any
// other type on the right must be text to be equal. null means absent.
func equals(right any) (t test, text string) {
	switch r := right.(type) {
	case nil:
		return isAbsent, ""
	case json.Number:
		want, err := r.Float64()
		return func(l string, ok bool, _ string) bool {
			got, isNum := number(l)
			return ok && isNum && err == nil && got == want
		}, ""
	case string:
		return isText, r
	}
	return never, ""
}

func differs(right any) (t test, text string) {
	if r, ok := right.(string); ok {
		return isNotText, r
	}
	equal, _ := equals(right)
	return func(l string, ok bool, _ string) bool { return !equal(l, ok, "") }, ""
}

func isAbsent(_ string, ok bool, _ string) bool      { return !ok }
func isText(l string, ok bool, right string) bool    { return ok && l == right }
func isNotText(l string, ok bool, right string) bool { return !ok || l != right }

// never is the test that no variable passes.
func never(string, bool, string) bool { return false }

func ordered(op string, right any) test {
	var want float64
	var isNum bool
	switch r := right.(type) {
	case json.Number:
		want, isNum = number(r.String())
	case string:
		want, isNum = number(r)
	}
	return func(l string, ok bool, _ string) bool {
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

// number converts as Lua's tonumber does, hexadecimal text too.
func number(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	if s == "" || strings.ContainsAny(s, "_pPnNiI") {
		return 0, false
	}
	if strings.ContainsAny(s, "xX") {
		s += "p0" // Go wants an exponent there
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
	var texts []string
	for _, e := range list {
		if s, ok := e.(string); ok {
			texts = append(texts, s)
		}
	}
	if len(texts) <= 8 { // in memory that lies together
		texts = slices.Clip(texts)
		return func(l string, ok bool, _ string) bool { return ok && slices.Contains(texts, l) }
	}
	set := make(map[string]bool, len(texts))
	for _, s := range texts {
		set[s] = true
	}
	return func(l string, ok bool, _ string) bool { return ok && set[l] }
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
	return func(l string, ok bool, _ string) bool {
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
