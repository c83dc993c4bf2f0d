package jsontree

import (
	"encoding/json"
	"strings"
	"sync"
	"unicode/utf8"
)

// maxDepth is how deep values may be nested; encoding/json has patience for deeper ones.
const maxDepth = 200

// Decode reads a text that is one JSON value, and of an object the texts of its members.
// ok is false when the text is none, or nothing ordinary: encoding/json then says which.
func Decode(text string) (v any, members []Member, ok bool) {
	d := decoders.Get().(*decoder)
	d.scanner = scanner{text: text}
	v, ok = d.value(0)
	d.space()
	if ok = ok && d.at == len(text); !ok {
		return nil, nil, false // and the decoder, whose stacks are not empty, is dropped
	}
	members, d.members = d.members, nil
	d.scanner = scanner{}
	decoders.Put(d)
	return v, members, true
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// decoder is at some place of a text. What is read of objects and lists that have not
// ended is on its stacks, so that they are made in their final size.
type decoder struct {
	scanner
	vals    []any
	keys    []string
	members []Member // of the outermost object
	// spare are maps that were given back: of few members, and of more.
	spare [2][]map[string]any
	// spareMembers is a list that was given back.
	spareMembers []Member
}

// drop takes what is above the given heights off the stacks, and forgets it.
func (d *decoder) drop(vals, keys int) {
	clear(d.vals[vals:])
	clear(d.keys[keys:])
	d.vals, d.keys = d.vals[:vals], d.keys[:keys]
}

func (d *decoder) value(depth int) (any, bool) {
	d.space()
	if d.at == len(d.text) || depth > maxDepth {
		return nil, false
	}
	switch c := d.text[d.at]; c {
	case '{':
		return d.object(depth)
	case '[':
		return d.list(depth)
	case '"':
		s, ok := d.str()
		return s, ok
	case 't':
		return true, d.word("true")
	case 'f':
		return false, d.word("false")
	case 'n':
		return nil, d.word("null")
	}
	n, ok := d.number()
	if len(n) == 1 && ok {
		return digits[n[0]-'0'], true
	}
	return json.Number(n), ok
}

// digits are the numbers of one digit, of which there are many.
var digits = func() (all [10]any) {
	for i := range all {
		all[i] = json.Number('0' + byte(i))
	}
	return all
}()

func (d *decoder) object(depth int) (any, bool) {
	d.at++ // {
	vals, keys := len(d.vals), len(d.keys)
	if d.space(); d.next('}') {
		return map[string]any{}, true
	}
	if depth == 0 {
		d.members = d.noMembers()
	}
	for {
		d.space()
		key, ok := d.str()
		if !ok {
			return nil, false
		}
		if d.space(); !d.next(':') {
			return nil, false
		}
		d.space()
		from := d.at
		v, ok := d.value(depth + 1)
		if !ok {
			return nil, false
		}
		if depth == 0 {
			d.members = append(d.members, Member{key, d.text[from:d.at]})
		}
		d.keys, d.vals = append(d.keys, key), append(d.vals, v)
		if d.space(); d.next(',') {
			continue
		}
		if !d.next('}') {
			return nil, false
		}
		m := d.mapOf(len(d.keys) - keys)
		for i, key := range d.keys[keys:] {
			m[key] = d.vals[vals+i]
		}
		d.drop(vals, keys)
		return m, true
	}
}

func (d *decoder) list(depth int) (any, bool) {
	d.at++ // [
	vals := len(d.vals)
	if d.space(); d.next(']') {
		return []any{}, true
	}
	for {
		v, ok := d.value(depth + 1)
		if !ok {
			return nil, false
		}
		d.vals = append(d.vals, v)
		if d.space(); d.next(',') {
			continue
		}
		if !d.next(']') {
			return nil, false
		}
		items := append([]any(nil), d.vals[vals:]...)
		d.drop(vals, len(d.keys))
		return items, true
	}
}

// scanner reads the tokens of a text.
type scanner struct {
	text string
	at   int
}

func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// next goes over c if it is next.
func (s *scanner) next(c byte) bool {
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *scanner) word(w string) bool {
	if !strings.HasPrefix(s.text[s.at:], w) {
		return false
	}
	s.at += len(w)
	return true
}

// str reads a string. One with escapes or with bytes that are no UTF-8 is read as
// encoding/json does.
func (s *scanner) str() (string, bool) {
	from := s.at
	if !s.next('"') {
		return "", false
	}
	ordinary, ascii := true, true
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '"':
			s.at++
			literal := s.text[from:s.at]
			if ordinary && (ascii || utf8.ValidString(literal)) {
				return literal[1 : len(literal)-1], true
			}
			var v string
			err := json.Unmarshal([]byte(literal), &v)
			return v, err == nil
		case c == '\\':
			ordinary = false
			s.at++ // whatever it is, it does not end the string
		case c < ' ':
			return "", false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return "", false
}

func (s *scanner) number() (string, bool) {
	from := s.at
	s.next('-')
	if !s.next('0') && !s.digits() {
		return "", false
	}
	if s.next('.') && !s.digits() {
		return "", false
	}
	if s.next('e') || s.next('E') {
		if !s.next('+') {
			s.next('-')
		}
		if !s.digits() {
			return "", false
		}
	}
	return s.text[from:s.at], true
}

// digits goes over digits and reports whether there were any.
func (s *scanner) digits() bool {
	from := s.at
	for s.at < len(s.text) && s.text[s.at]-'0' <= 9 {
		s.at++
	}
	return s.at > from
}
