package echo

import (
	"fmt"
	"net/textproto"
	"strconv"
	"strings"
	"time"
)

// Request headers that ask for a behaviour, and response headers that identify
// the backend.
const (
	HeaderOpID      = "X-Op-Id"
	HeaderBackend   = "X-Echo-Backend"    // response: the server's Ref
	HeaderVNI       = "X-Echo-Vni"        // response: the server's network
	HeaderOp        = "X-Echo-Op"         // response: the X-Op-Id of the request that is answered
	HeaderDelay     = "X-Echo-Delay"      // "200ms": wait before answering
	HeaderStatus    = "X-Echo-Status"     // "503": answer with this status
	HeaderSize      = "X-Echo-Size"       // "1048576": answer with that many bytes instead of JSON
	HeaderChunked   = "X-Echo-Chunked"    // "1": answer without a content length
	HeaderAdd       = "X-Echo-Header"     // "Name: value": add this line to the response; repeatable
	HeaderDrip      = "X-Echo-Drip"       // "100/50ms": write the body 100 bytes at a time, 50 ms before each
	HeaderReset     = "X-Echo-Reset"      // "head" or "body": cut the connection there with a RST
	HeaderClose     = "X-Echo-Close"      // "head" or "body": end the connection there with a FIN
	HeaderGarbage   = "X-Echo-Garbage"    // "300": that many bytes that are not HTTP, then FIN
	HeaderHang      = "X-Echo-Hang"       // "1": no answer; the connection is held
	HeaderLengthOff = "X-Echo-Length-Off" // "10", "-10": announce so many bytes more or fewer than are sent
	HeaderUnread    = "X-Echo-Unread"     // "1": do not read the request's body
)

// headerPrefix begins every header that asks for something.
const headerPrefix = "X-Echo-"

// asks says how each header changes a behaviour.
var asks = map[string]func(b *Behaviour, v string) error{
	HeaderDelay:     func(b *Behaviour, v string) (err error) { b.Delay, err = time.ParseDuration(v); return err },
	HeaderStatus:    func(b *Behaviour, v string) (err error) { b.Status, err = strconv.Atoi(v); return err },
	HeaderSize:      func(b *Behaviour, v string) (err error) { b.Size, err = strconv.Atoi(v); return err },
	HeaderChunked:   func(b *Behaviour, v string) error { b.Chunked = true; return nil },
	HeaderAdd:       func(b *Behaviour, v string) error { b.Add = append(b.Add[:len(b.Add):len(b.Add)], v); return nil },
	HeaderDrip:      askDrip,
	HeaderReset:     func(b *Behaviour, v string) error { b.Reset = ResetPoint(v); return nil },
	HeaderClose:     func(b *Behaviour, v string) error { b.Close = ClosePoint(v); return nil },
	HeaderGarbage:   func(b *Behaviour, v string) (err error) { b.Garbage, err = strconv.Atoi(v); return err },
	HeaderHang:      func(b *Behaviour, v string) error { b.Hang = true; return nil },
	HeaderLengthOff: func(b *Behaviour, v string) (err error) { b.LengthOff, err = strconv.Atoi(v); return err },
	HeaderUnread:    func(b *Behaviour, v string) error { b.Unread = true; return nil },
}

func askDrip(b *Behaviour, v string) (err error) {
	n, every, ok := strings.Cut(v, "/")
	if !ok {
		return fmt.Errorf("want \"bytes/time\", such as \"100/50ms\"")
	}
	if b.DripBytes, err = strconv.Atoi(n); err == nil {
		b.DripEvery, err = time.ParseDuration(every)
	}
	return err
}

// behaviourFor merges the server's behaviour with what the request asks for.
func (s *Server) behaviourFor(q *request) (Behaviour, error) {
	b := s.Behaviour()
	asked := false
	for i := range q.Fields {
		f := &q.Fields[i]
		if len(f.Name) < len(headerPrefix) || !strings.EqualFold(f.Name[:len(headerPrefix)], headerPrefix) {
			continue
		}
		name := textproto.CanonicalMIMEHeaderKey(f.Name)
		ask := asks[name]
		if ask == nil || f.Value == "" {
			continue
		}
		if err := ask(&b, f.Value); err != nil {
			return b, fmt.Errorf("%s: %q: %w", name, f.Value, err)
		}
		asked = true
	}
	if !asked {
		return b, nil
	}
	return b, b.Check()
}
