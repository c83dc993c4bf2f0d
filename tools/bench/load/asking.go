package load

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// An Asking is a connection, with the moment at which its request was due.
type Asking struct {
	due  time.Time
	busy bool
	in   []byte // of the answer's head
	rest int    // of its body, bytes; -1: the head has not ended
}

// NewAsking is a connection that waits for an answer.
func NewAsking() *Asking { return &Asking{rest: -1} }

// Take reads a piece of an answer with a Content-Length; true: it is whole.
func (c *Asking) Take(b []byte) (bool, error) {
	if c.rest < 0 {
		c.in = append(c.in, b...)
		head, body, ended := bytes.Cut(c.in, []byte("\r\n\r\n"))
		if !ended {
			if len(c.in) > maxHead {
				return false, errors.New("a head without end")
			}
			return false, nil
		}
		if !bytes.HasPrefix(head, []byte("HTTP/1.1 200 ")) {
			first, _, _ := bytes.Cut(head, []byte("\r\n"))
			return false, fmt.Errorf("answer %q", first)
		}
		n, err := contentLength(head)
		if err != nil {
			return false, err
		}
		c.rest, b = n, body
	}
	c.rest -= len(b)
	if c.rest < 0 {
		return false, errors.New("more bytes than the answer has")
	}
	return c.rest == 0, nil
}

func contentLength(head []byte) (int, error) {
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte("Content-Length")) {
			return strconv.Atoi(string(bytes.TrimSpace(value)))
		}
	}
	return 0, errors.New("an answer without Content-Length")
}
