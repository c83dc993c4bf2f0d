package raw

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/http1"
)

// A Request is a request that arrived and that can be read in one way only.
type Request struct {
	Method, Target, Proto string
	Fields                http1.Fields // values without the white space around them
	Body                  []byte       // without its framing
	Chunked               bool
	Trailers              http1.Fields
}

// ID is the op to which the request belongs; empty when it does not say.
func (r Request) ID() string { return r.Fields.Get(echo.HeaderOpID) }

// String is the request in a few words.
func (r Request) String() string {
	return fmt.Sprintf("%s %s with %d bytes %.60q", r.Method, r.Target, len(r.Body), r.Body)
}

func (r Request) seen() history.Request {
	h := history.Request{Method: r.Method, Target: r.Target, Proto: r.Proto, Host: r.Fields.Get("Host"), Header: r.Fields, BodyLen: int64(len(r.Body))}
	if len(r.Body) > 0 {
		sum := sha256.Sum256(r.Body)
		h.BodySum = hex.EncodeToString(sum[:])
	}
	return h
}

// A doubt says why bytes are not one clear request.
type doubt string

func (d doubt) Error() string { return string(d) }

func doubtf(format string, args ...any) error { return doubt(fmt.Sprintf(format, args...)) }

// A scan reads one request from the beginning of bytes that arrived.
type scan struct {
	b    []byte
	at   int
	more bool // the bytes end before the request does
}

// next reads the first request of b. n is its length; 0: it has not arrived
// whole. An error is a doubt.
func next(b []byte) (r Request, n int, err error) {
	s := &scan{b: b}
	framed, err := s.head(&r)
	if err != nil || s.more {
		return Request{}, 0, err
	}
	if r.Chunked {
		err = s.chunks(&r)
	} else {
		r.Body = s.take(framed)
	}
	if err != nil || s.more {
		return Request{}, 0, err
	}
	return r, s.at, nil
}

// line takes a line that ends in CRLF and holds neither CR nor LF nor NUL.
func (s *scan) line() (string, error) {
	i := bytes.IndexByte(s.b[s.at:], '\n')
	if i < 0 {
		s.more = true
		return "", nil
	}
	l := s.b[s.at : s.at+i]
	s.at += i + 1
	text, ok := strings.CutSuffix(string(l), "\r")
	switch {
	case !ok:
		return "", doubtf("a line that ends in a bare LF: %q", l)
	case strings.ContainsAny(text, "\r\x00"):
		return "", doubtf("a bare CR or NUL within a line: %q", l)
	}
	return text, nil
}

func (s *scan) take(n int) []byte {
	if len(s.b)-s.at < n {
		s.more = true
		return nil
	}
	s.at += n
	return bytes.Clone(s.b[s.at-n : s.at])
}

// head reads request line and fields, and says how long a sized body is.
func (s *scan) head(r *Request) (length int, err error) {
	line, err := s.line()
	if err != nil || s.more {
		return 0, err
	}
	parts := strings.Split(line, " ")
	if len(parts) != 3 || !isToken(parts[0]) || !isVisible(parts[1]) || parts[2] != "HTTP/1.1" && parts[2] != "HTTP/1.0" {
		return 0, doubtf("request line %q", line)
	}
	r.Method, r.Target, r.Proto = parts[0], parts[1], parts[2]
	if r.Fields, err = s.fields(); err != nil || s.more {
		return 0, err
	}
	hosts := len(r.Fields.Values("Host"))
	if hosts > 1 || hosts == 0 && r.Proto == "HTTP/1.1" {
		return 0, doubtf("%d lines Host", hosts)
	}
	f, err := r.Fields.Framing()
	switch {
	case err != nil:
		return 0, doubt(err.Error())
	case f.Chunked && r.Proto != "HTTP/1.1":
		return 0, doubtf("Transfer-Encoding in a message of %s", r.Proto)
	case f.Sized && !isDigits(r.Fields.Get("Content-Length")) || f.Length > MaxBytes:
		return 0, doubtf("Content-Length %q", r.Fields.Get("Content-Length"))
	}
	r.Chunked = f.Chunked
	return int(f.Length), nil
}

// fields reads field lines up to the empty line.
func (s *scan) fields() (http1.Fields, error) {
	var fs http1.Fields
	for {
		line, err := s.line()
		if err != nil || s.more || line == "" {
			return fs, err
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !isToken(name) {
			return nil, doubtf("field line %q", line)
		}
		value = strings.Trim(value, " \t")
		if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
			return nil, doubtf("control bytes in field line %q", line)
		}
		fs = append(fs, history.Field{Name: name, Value: value})
	}
}

// maxSizeDigits is how long a chunk size may be; longer ones overflow somewhere.
const maxSizeDigits = 15

func (s *scan) chunks(r *Request) error {
	for {
		line, err := s.line()
		if err != nil || s.more {
			return err
		}
		size, _, _ := strings.Cut(line, ";")
		n, err := strconv.ParseUint(size, 16, 63)
		if err != nil || len(size) > maxSizeDigits || size[0] == '+' || strings.ContainsAny(size, "_xX") {
			return doubtf("chunk size %q", line)
		}
		if n == 0 {
			r.Trailers, err = s.fields()
			return err
		}
		if n > MaxBytes {
			return doubtf("chunk size %q", line)
		}
		r.Body = append(r.Body, s.take(int(n))...)
		if s.more {
			return nil
		}
		if end := s.take(2); !s.more && string(end) != "\r\n" {
			return doubtf("%q after the data of a chunk", end)
		}
		if s.more {
			return nil
		}
	}
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func isVisible(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c == 0x7f })
}

const tokenChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~"

// isToken is the token of RFC 9110 5.6.2.
func isToken(s string) bool {
	return s != "" && strings.IndexFunc(s, func(c rune) bool { return !strings.ContainsRune(tokenChars, c) }) < 0
}
