package jsontree

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// nesting is how deep lua-cjson reads values within each other.
const nesting = 1000

// Complaint is what APISIX's decoder, lua-cjson, says of a text that is no JSON, or that it
// does not read although it is; "": it finds nothing wrong, for it takes some things that
// JSON does not have. Of numbers that lua-cjson reads as infinite and then does not write,
// it says that they are invalid.
func Complaint(text string) string {
	c := complainer{text: text}
	if c.value(c.token(), 0) {
		c.expect("the end", c.token(), end)
	}
	return c.words
}

// Kinds of tokens, in the words of lua-cjson.
const (
	objBegin, objEnd = "T_OBJ_BEGIN", "T_OBJ_END"
	arrBegin, arrEnd = "T_ARR_BEGIN", "T_ARR_END"
	str, num         = "T_STRING", "T_NUMBER"
	boolean, null    = "T_BOOLEAN", "T_NULL"
	colon, comma     = "T_COLON", "T_COMMA"
	end              = "T_END"
)

// A token is where it begins, from 0, or where it is broken: its kind then says how.
type token struct {
	kind string
	at   int
}

type complainer struct {
	text  string
	at    int
	words string // the complaint; nothing is read after it
}

// expect complains about a token that is of none of the kinds.
func (c *complainer) expect(what string, t token, kinds ...string) bool {
	for _, k := range kinds {
		if t.kind == k {
			return true
		}
	}
	c.words = fmt.Sprintf("Expected %s but found %s at character %d", what, t.kind, t.at+1)
	return false
}

// value reads what begins with a token, and reports whether nothing is wrong with it.
func (c *complainer) value(t token, depth int) bool {
	switch begins := t.kind == objBegin || t.kind == arrBegin; {
	case begins && depth == nesting:
		c.words = fmt.Sprintf("Found too many nested data structures (%d) at character %d", depth+1, c.at)
		return false
	case t.kind == objBegin:
		return c.object(depth + 1)
	case t.kind == arrBegin:
		return c.array(depth + 1)
	}
	return c.expect("value", t, str, num, boolean, null)
}

func (c *complainer) object(depth int) bool {
	t := c.token()
	for t.kind != objEnd {
		if !c.expect("object key string", t, str) || !c.expect("colon", c.token(), colon) || !c.value(c.token(), depth) {
			return false
		}
		if t = c.token(); !c.expect("comma or object end", t, objEnd, comma) {
			return false
		}
		if t.kind == comma {
			if t = c.token(); t.kind == objEnd {
				return c.expect("object key string", t, str)
			}
		}
	}
	return true
}

func (c *complainer) array(depth int) bool {
	t := c.token()
	for t.kind != arrEnd {
		if !c.value(t, depth) {
			return false
		}
		if t = c.token(); !c.expect("comma or array end", t, arrEnd, comma) {
			return false
		}
		if t.kind == comma {
			if t = c.token(); t.kind == arrEnd {
				return c.expect("value", t, str)
			}
		}
	}
	return true
}

var marks = map[byte]string{'{': objBegin, '}': objEnd, '[': arrBegin, ']': arrEnd, ':': colon, ',': comma, 0: end}

// names are the values that are words.
var names = []struct{ word, kind string }{{"true", boolean}, {"false", boolean}, {"null", null}}

func (c *complainer) token() token {
	for c.at < len(c.text) && strings.IndexByte(" \t\n\r", c.text[c.at]) >= 0 {
		c.at++
	}
	t := token{end, c.at}
	if c.at == len(c.text) {
		return t
	}
	first := c.text[c.at]
	rest := c.text[c.at:]
	if kind, ok := marks[first]; ok {
		if first != 0 {
			c.at++
		}
		t.kind = kind
		return t
	}
	if first == '"' {
		return c.quoted()
	}
	for _, w := range names {
		if strings.HasPrefix(rest, w.word) {
			c.at += len(w.word)
			t.kind = w.kind
			return t
		}
	}
	digits := strings.TrimLeft(rest, "+-")
	if sign := len(rest) - len(digits); sign <= 1 {
		n := numberOf(digits)
		switch {
		case n > 0 && infinite(digits[:n]):
			t.kind = "invalid number"
			return t
		case n > 0:
			c.at += sign + n
			t.kind = num
			return t
		}
	}
	t.kind = "invalid token"
	if first == '-' || first == '+' {
		t.kind = "invalid number"
	}
	return t
}

// numberOf is how many bytes C reads as a number without a sign.
func numberOf(text string) int {
	lower := strings.ToLower(text[:min(len(text), 8)])
	for _, word := range []string{"infinity", "inf", "nan"} {
		if strings.HasPrefix(lower, word) {
			return len(word)
		}
	}
	if strings.HasPrefix(lower, "0x") {
		if n := run(text[2:], "0123456789abcdefABCDEF"); n > 0 {
			return 2 + n
		}
	}
	n := run(text, decimal)
	if after := strings.TrimPrefix(text[n:], "."); len(after) < len(text[n:]) {
		fraction := run(after, decimal)
		if n+fraction == 0 {
			return 0
		}
		n += 1 + fraction
	}
	if n == 0 || n == len(text) || text[n]|0x20 != 'e' {
		return n
	}
	exponent := text[n+1:]
	sign := 0
	if exponent != "" && (exponent[0] == '+' || exponent[0] == '-') {
		sign = 1
	}
	if digits := run(exponent[sign:], decimal); digits > 0 {
		n += 1 + sign + digits
	}
	return n
}

// infinite reports whether the digits are of a number that is none in 64 bits.
func infinite(digits string) bool {
	_, err := strconv.ParseFloat(digits, 64)
	return errors.Is(err, strconv.ErrRange)
}

const decimal = "0123456789"

// run is how many bytes at the beginning are of a set.
func run(text, set string) int { return len(text) - len(strings.TrimLeft(text, set)) }

// quoted reads a string.
func (c *complainer) quoted() token {
	t := token{str, c.at}
	for c.at++; ; c.at++ {
		if c.at >= len(c.text) || c.text[c.at] == 0 {
			return token{"unexpected end of string", c.at}
		}
		switch c.text[c.at] {
		case '"':
			c.at++
			return t
		case '\\':
			escape := c.text[c.at+1:]
			switch {
			case escape == "" || strings.IndexByte(`"\/bfnrtu`, escape[0]) < 0:
				return token{"invalid escape code", c.at}
			case escape[0] != 'u':
				c.at++
				continue
			}
			n := escaped(c.text[c.at:])
			if n == 0 {
				return token{"invalid unicode escape code", c.at}
			}
			c.at += n - 1
		}
	}
}

// escaped is how many bytes at the beginning stand for one character, as \u and four
// digits, or as a pair of them; 0: none do.
func escaped(text string) int {
	const one, pair = 6, 12
	switch first := unit(text); {
	case first < 0 || first&0xfc00 == 0xdc00:
		return 0
	case first&0xfc00 != 0xd800:
		return one
	case unit(text[one:])&^0x3ff != 0xdc00:
		return 0
	}
	return pair
}

// unit is the UTF-16 code unit that the text begins with as an escape; -1: it does not.
func unit(text string) int {
	if len(text) < 6 || text[:2] != `\u` {
		return -1
	}
	n, err := strconv.ParseUint(text[2:6], 16, 16)
	if err != nil {
		return -1
	}
	return int(n)
}
