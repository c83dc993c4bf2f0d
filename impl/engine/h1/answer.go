package h1

import "github.com/unilb/unilb/impl/exchange"

// ParseAnswer reads one head of an upstream's answer to a request of this method,
// as Scan.Head found it, into r and f. It is as strict as ParseRequest. Strings
// of r are views into head; Fields are all but Content-Length, Transfer-Encoding
// and Trailer.
//
// BodyLength is 0 for 1xx, 204 and 304, whatever their fields say, and for HEAD
// the length that GET would have; what follows on the connection is f.Length, 0
// for all of these.
func ParseAnswer(head []byte, method string, r *exchange.Response, f *Framing) error {
	s := view(head)
	if !whole(s) {
		return Malformed{ReasonHead, 0}
	}
	old, next, bad := statusLine(s, r)
	if bad != NoReason {
		return Malformed{bad, 1}
	}
	h := heard{answer: true, old: old}
	var err error
	if r.Fields, err = parseFields(r.Fields[:0], s, next, 2, &h); err != nil {
		return err
	}
	*f = h.framing(h.answerLength(r.Status, method))
	r.BodyLength = max(f.Length, -1)
	if method == "HEAD" && BodyFollows(r.Status) {
		r.BodyLength = f.ContentLength
	}
	return nil
}

// answerLength is RFC 9112 6.3.
func (h *heard) answerLength(status int, method string) int64 {
	switch {
	case !BodyFollows(status), method == "HEAD", method == "CONNECT" && status/100 == 2:
		return 0
	case h.coded:
		return Chunked
	case h.sized:
		return h.length
	}
	return UntilClose
}

// BodyFollows tells whether answers of the status have bodies (but not to HEAD).
func BodyFollows(status int) bool { return status >= 200 && status != 204 && status != 304 }

// statusLine reads the status into r.
func statusLine(s string, r *exchange.Response) (old bool, next int, bad Reason) {
	const status = len("HTTP/1.1 ")
	switch {
	case s[:4] != "HTTP":
		return false, 0, ReasonNotHTTP
	case len(s) < status+len("200\r\n"):
		return false, 0, ReasonStatusLine
	}
	switch s[:status] {
	case http11 + " ":
	case http10 + " ":
		old = true
	default:
		return false, 0, badVersionOfAnswer(s)
	}
	a, b, c := s[status]-'0', s[status+1]-'0', s[status+2]-'0'
	if a < 1 || a > 9 || b > 9 || c > 9 {
		return false, 0, ReasonStatusLine
	}
	r.Status = int(a)*100 + int(b)*10 + int(c)
	i := status + 3
	if s[i] == ' ' { // the phrase may be missing, with its blank
		i = ValueEnd(s, i)
	}
	switch {
	case s[i] == '\n':
		return false, 0, ReasonBareLF
	case s[i] == '\r' && s[i+1] != '\n':
		return false, 0, ReasonBareCR
	case s[i] != '\r':
		return false, 0, ReasonStatusLine
	}
	return old, i + 2, NoReason
}

func badVersionOfAnswer(s string) Reason {
	known := s[:len(http11)] == http11 || s[:len(http10)] == http10
	if c := s[len(http11)]; known && (c < '0' || c > '9') {
		return ReasonStatusLine
	}
	return ReasonVersion
}
