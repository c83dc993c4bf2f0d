package h1

import "github.com/unilb/unilb/impl/exchange"

// parseFields reads the lines of a head from i on and appends to dst those that
// the pipeline sees. Lines are counted from line on. s ends with CRLF CRLF, so
// that no index runs over its end.
func parseFields(dst exchange.Fields, s string, i, line int, h *heard) (exchange.Fields, error) {
	for last := line + MaxFields; s[i] != '\r'; line++ {
		f, next, bad := fieldLine(s, i)
		if bad != NoReason {
			return dst, Malformed{bad, line}
		}
		if line == last {
			return dst, Malformed{ReasonTooManyFields, line}
		}
		if h.hear(f.Name, f.Value) {
			dst = append(dst, f)
		}
		if h.bad != NoReason {
			return dst, Malformed{h.bad, line}
		}
		i = next
	}
	if s[i+1] != '\n' {
		return dst, Malformed{ReasonBareCR, line}
	}
	if i+2 != len(s) {
		return dst, Malformed{ReasonHead, line}
	}
	return dst, nil
}

// fieldLine reads the line of s that begins at i, and returns where the next one
// begins. s ends with CRLF.
func fieldLine(s string, i int) (f exchange.Field, next int, bad Reason) {
	begin := i
	for has(s[i], inToken) {
		i++
	}
	if s[i] != ':' || i == begin {
		return f, 0, badName(s, begin, i)
	}
	f.Name = s[begin:i]
	for i++; s[i] == ' ' || s[i] == '\t'; i++ {
	}
	begin = i
	i = ValueEnd(s, i)
	switch {
	case s[i] == '\n':
		return f, 0, ReasonBareLF
	case s[i] != '\r':
		return f, 0, ReasonControl
	case s[i+1] != '\n':
		return f, 0, ReasonBareCR
	}
	end := i
	for end > begin && (s[end-1] == ' ' || s[end-1] == '\t') {
		end--
	}
	f.Value = s[begin:end]
	return f, i + 2, NoReason
}

// badName says what is wrong with a line whose first token does not end with a
// colon.
func badName(s string, begin, i int) Reason {
	c := s[i]
	blank := c == ' ' || c == '\t'
	for j := i; blank && j < len(s) && s[j] != '\r' && s[j] != '\n'; j++ {
		if s[j] == ':' && i > begin && trimmed(s[i:j]) == "" {
			return ReasonSpaceColon
		}
	}
	switch {
	case blank && i == begin:
		return ReasonFold
	case c == '\n':
		return ReasonBareLF
	case c != '\r':
		return ReasonName
	case s[i+1] != '\n':
		return ReasonBareCR
	}
	return ReasonNoColon
}

// trimmed cuts blanks off both ends.
func trimmed(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// whole tells whether s ends as a head does.
func whole(s string) bool { return len(s) >= 4 && s[len(s)-4:] == "\r\n\r\n" }
