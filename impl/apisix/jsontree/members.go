package jsontree

import "iter"

// A Member is one of a JSON object, with its value as it was written.
type Member struct{ Name, Text string }

// Members yields the names of the members of a JSON object, in the order in which they
// were written, with the texts of their values. Of a text that is no JSON object it yields
// nothing, or what it finds.
func Members(object string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		s := scanner{text: object}
		if s.space(); !s.next('{') {
			return
		}
		for {
			s.space()
			name, ok := s.str()
			if !ok {
				return
			}
			if s.space(); !s.next(':') {
				return
			}
			s.space()
			from := s.at
			if s.skip(); !yield(name, object[from:s.at]) {
				return
			}
			if s.space(); !s.next(',') {
				return
			}
		}
	}
}

// Find returns the text of a member of a JSON object: of several of that name, as
// always, that of the last. "": there is none.
func Find(object, name string) (value string) {
	for n, v := range Members(object) {
		if n == name {
			value = v
		}
	}
	return value
}

// skip goes over a value of valid JSON.
func (s *scanner) skip() {
	depth := 0
	for ; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case '"':
			for s.at++; s.at < len(s.text) && s.text[s.at] != '"'; s.at++ {
				if s.text[s.at] == '\\' {
					s.at++
				}
			}
			if depth == 0 {
				s.at = min(s.at+1, len(s.text))
				return
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // a number or a word has ended before
				return
			}
			if depth--; depth == 0 {
				s.at++
				return
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return
			}
		}
	}
}
