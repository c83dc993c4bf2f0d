package cases

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// A rawHead is a first line and field lines, as the front reads them. A front with
// a bug reads more than it should.
type rawHead struct {
	first  string
	fields []rawField
}

type rawField struct {
	name, value string
	line        string // as it came, without its end
}

func (h *rawHead) values(name string) []string {
	var out []string
	for _, f := range h.fields {
		if strings.EqualFold(f.name, name) {
			out = append(out, f.value)
		}
	}
	return out
}

func (h *rawHead) lists(name, token string) bool {
	for _, v := range h.values(name) {
		for e := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(e), token) {
				return true
			}
		}
	}
	return false
}

// refusal is a status with which the front answers bytes it does not take.
type refusal int

func (r refusal) Error() string { return fmt.Sprintf("refused with %d", int(r)) }

const maxFrontHead = 64 << 10

// head reads up to the empty line. tolerant passes over what a request may not
// hold and an answer may.
func (f *front) head(r *bufio.Reader, tolerant bool) (*rawHead, error) {
	h, size := &rawHead{}, 0
	for {
		line, err := r.ReadString('\n')
		for err == nil && f.is("lines end at CRLF only") && !strings.HasSuffix(line, "\r\n") {
			var more string
			more, err = r.ReadString('\n')
			line += more
		}
		if err != nil {
			if size+len(line) > 0 && errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		size += len(line)
		switch {
		case size > 16<<10 && line != "\r\n" && f.is("drops lines it has no room for"):
			continue
		case size > maxFrontHead && !f.is("has no limits") && !f.is("cuts targets") && !f.is("drops lines it has no room for"):
			return nil, refusal(431)
		}
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		switch {
		case h.first == "" && line == "" && !f.is("takes an empty line for a request"):
			continue
		case h.first == "":
			h.first = line
			if line == "" {
				return nil, refusal(400)
			}
		case line == "":
			return h, nil
		default:
			if err := f.field(h, line, tolerant); err != nil {
				return nil, err
			}
		}
	}
}

// field adds one line.
func (f *front) field(h *rawHead, line string, tolerant bool) error {
	if line[0] == ' ' || line[0] == '\t' {
		switch last := len(h.fields) - 1; {
		case f.is("passes lines on"), f.is("passes answers on") && tolerant:
			h.fields = append(h.fields, rawField{line: line})
		case !tolerant && !f.is("passes folds on"), last < 0:
			return refusal(400)
		case f.is("passes folds on"):
			h.fields[last].line += "\r\n" + line
			h.fields[last].value = strings.TrimSpace(h.fields[last].value + line)
		default:
			h.fields[last].value += " " + strings.TrimSpace(line)
		}
		return nil
	}
	name, value, ok := strings.Cut(line, ":")
	if trimmed := strings.TrimRight(name, " \t"); trimmed != name && (tolerant || f.is("trims names")) {
		name = trimmed
	}
	if !ok || name == "" || strings.ContainsAny(name, " \t()\x00\r") || strings.IndexByte(name, 0xff) >= 0 {
		if !f.is("passes lines on") && (!tolerant || !f.is("passes answers on")) {
			return refusal(400)
		}
	}
	value = strings.Trim(value, " \t")
	if f.is("trims too much") {
		value = strings.TrimFunc(value, func(c rune) bool { return unicode.IsSpace(c) || c == 0 })
	}
	if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
		switch {
		case f.is("passes control bytes on"), f.is("lines end at CRLF only"), tolerant && f.is("passes answers on"):
		case !tolerant:
			return refusal(400)
		default:
			value = strings.NewReplacer("\r", " ", "\x00", " ", "\n", " ").Replace(value)
		}
	}
	h.fields = append(h.fields, rawField{name, value, line})
	return nil
}

// A rawBody says how a body is framed.
type rawBody struct {
	chunked bool
	length  int64
	sized   bool
	last    bool // the connection must end after this message
}

var errFraming = refusal(400)

// framing reads how a body is framed; old says that the message is of HTTP/1.0.
func (f *front) framing(h *rawHead, old bool) (b rawBody, err error) {
	te, cl := h.values("Transfer-Encoding"), h.values("Content-Length")
	switch {
	case f.is("chunked anywhere"):
		b.chunked = strings.Contains(strings.ToLower(strings.Join(te, ",")), "chunked")
	case f.is("ignores unknown codings"):
		b.chunked = len(te) == 1 && strings.EqualFold(te[0], "chunked")
	case f.is("compares to the byte"):
		b.chunked = len(te) == 1 && strings.Contains(te[0], "chunked") && h.raw("Transfer-Encoding: chunked")
	case f.is("passes framing on"):
		b.chunked = len(te) > 0
	case len(te) > 1 || len(te) == 1 && !strings.EqualFold(te[0], "chunked"):
		return b, errFraming
	default:
		b.chunked = len(te) == 1
	}
	if b.chunked && old {
		b.last = !f.is("keeps chunks of HTTP/1.0")
	}
	if b.chunked && len(cl) > 0 {
		if f.is("length beats chunks") {
			b.chunked = false
		} else {
			b.last = b.last || !f.is("keeps after both")
			return b, nil
		}
	}
	if len(cl) == 0 || b.chunked {
		return b, nil
	}
	value := cl[0]
	switch {
	case f.is("takes the last length"):
		value = cl[len(cl)-1]
	case f.is("takes the first length"), f.is("passes framing on"):
	case len(cl) > 1:
		return b, errFraming
	}
	b.sized = true
	b.length, err = f.number(value)
	return b, err
}

func (h *rawHead) raw(line string) bool {
	for _, f := range h.fields {
		if f.line == line {
			return true
		}
	}
	return false
}

// number reads a Content-Length.
func (f *front) number(s string) (int64, error) {
	var n int64
	var err error
	switch {
	case f.is("empty length is none") && strings.Trim(s, ", ") == "":
		return 0, nil
	case f.is("length up to a separator"):
		s, _, _ = strings.Cut(strings.TrimLeft(s, "\f"), ",")
		s, _, _ = strings.Cut(s, " ")
		n, err = strconv.ParseInt(s, 10, 64)
	case f.is("lax numbers"):
		n, err = strconv.ParseInt(strings.TrimRight(s, "+"), 0, 63)
	case f.is("numbers wrap"):
		var u uint64
		for _, c := range s {
			u = u*10 + uint64(c-'0')
		}
		n = int64(u & 0xffff)
	case strings.Trim(s, "0123456789") != "":
		return 0, errFraming
	default:
		n, err = strconv.ParseInt(s, 10, 64)
	}
	if err != nil {
		return 0, errFraming
	}
	return max(n, 0), nil
}

// chunks reads a chunked body; raw is it as it came.
func (f *front) chunks(r *bufio.Reader) (body []byte, trailers []rawField, raw []byte, err error) {
	for {
		line, err := f.chunkLine(r)
		raw = append(raw, line...)
		if err != nil {
			return body, nil, raw, err
		}
		n, err := f.chunkSize(strings.TrimRight(line, "\r\n"))
		if err != nil {
			return body, nil, raw, err
		}
		if n == 0 {
			break
		}
		data := make([]byte, min(n, 1<<20))
		if _, err := io.ReadFull(r, data); err != nil {
			return body, nil, raw, err
		}
		body, raw = append(body, data...), append(raw, data...)
		switch {
		case f.is("skips two bytes"):
			_, err = r.Discard(2)
			raw = append(raw, "\r\n"...)
		default:
			line, err = f.chunkLine(r)
			raw = append(raw, line...)
			if err == nil && strings.TrimRight(line, "\r\n") != "" {
				err = errFraming
			}
		}
		if err != nil {
			return body, nil, raw, err
		}
	}
	h := &rawHead{}
	for {
		line, err := f.chunkLine(r)
		raw = append(raw, line...)
		if err != nil {
			return body, nil, raw, err
		}
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			return body, h.fields, raw, nil
		}
		if err := f.field(h, line, false); err != nil {
			return body, nil, raw, err
		}
	}
}

func (f *front) chunkLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	for err == nil && f.is("extensions to CRLF") && !strings.HasSuffix(line, "\r\n") {
		var more string
		more, err = r.ReadString('\n')
		line += more
	}
	if len(line) > 8<<10 && !f.is("has no limits") {
		return line, errFraming
	}
	lax := f.is("chunk lines end at LF") || f.is("extensions to CRLF") || f.is("passes chunks on")
	if err == nil && !lax && (!strings.HasSuffix(line, "\r\n") || strings.Count(line, "\r") != 1) {
		return line, errFraming
	}
	return line, err
}

func (f *front) chunkSize(line string) (uint64, error) {
	size, _, ext := strings.Cut(line, ";")
	if ext && f.is("refuses extensions") {
		return 0, errFraming
	}
	switch {
	case f.is("lax chunk sizes"):
		size = strings.TrimLeft(strings.TrimLeft(size, " "), "+-")
		size = strings.TrimPrefix(size, "0x")
		end := 0
		for end < len(size) && strings.IndexByte("0123456789abcdefABCDEF", size[end]) >= 0 {
			end++
		}
		size = "0" + size[:end]
	case f.is("reads sizes up to the first odd byte"):
		end := 0
		for end < len(size) && strings.IndexByte("0123456789abcdefABCDEF", size[end]) >= 0 {
			end++
		}
		size = "0" + size[:end]
	default:
		size = strings.TrimRight(size, " \t")
	}
	if f.is("numbers wrap") && len(size) > 8 {
		size = "0" + size[len(size)-2:]
	}
	if size == "" || strings.Trim(size, "0123456789abcdefABCDEF") != "" {
		return 0, errFraming
	}
	n, err := strconv.ParseUint(size, 16, 31)
	if err != nil {
		return 0, errFraming
	}
	return n, nil
}
