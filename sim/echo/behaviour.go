package echo

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Request headers that ask for a behaviour, and response headers that identify
// the backend.
const (
	HeaderOpID    = "X-Op-Id"
	HeaderBackend = "X-Echo-Backend" // response: the server's Ref
	HeaderVNI     = "X-Echo-Vni"     // response: the server's network
	HeaderOp      = "X-Echo-Op"      // response: the X-Op-Id of the request that is answered
	HeaderDelay   = "X-Echo-Delay"   // "200ms": wait before answering
	HeaderStatus  = "X-Echo-Status"  // "503": answer with this status
	HeaderReset   = "X-Echo-Reset"   // "head" or "body": cut the connection there with a RST
	HeaderSize    = "X-Echo-Size"    // "1048576": answer with that many bytes instead of JSON
	HeaderChunked = "X-Echo-Chunked" // "1": answer without a content length
	HeaderAdd     = "X-Echo-Header"  // "Name: value": add this line to the response; repeatable
)

// A ResetPoint says where a connection is cut. The zero value is nowhere.
type ResetPoint string

// The points of a reset, both after the request was read completely.
const (
	ResetNever ResetPoint = ""
	ResetHead  ResetPoint = "head" // before any byte of the response
	ResetBody  ResetPoint = "body" // after the head and half of the body
)

// A Behaviour is what a server does with a request. The zero value answers 200
// at once. Headers of a request override it field by field.
type Behaviour struct {
	Delay   time.Duration
	Status  int // 0: 200
	Reset   ResetPoint
	Size    int // bytes of body instead of JSON; 0: JSON
	Chunked bool
	Add     []string // header lines of the response
}

// SetBehaviour changes what the server does with requests that arrive from now on.
func (s *Server) SetBehaviour(b Behaviour) { s.behave.Store(&b) }

// Behaviour is what the server does with requests now.
func (s *Server) Behaviour() Behaviour {
	if b := s.behave.Load(); b != nil {
		return *b
	}
	return Behaviour{}
}

// Health is what a server answers at its health path.
type Health int32

// The kinds of health. The zero value is the one a test expects of a new server.
const (
	Healthy Health = iota // 200
	Sick                  // 503
	Hanging               // no answer until the peer gives up
)

// SetHealth changes the answer to health probes that arrive from now on.
func (s *Server) SetHealth(h Health) { s.health.Store(int32(h)) }

// Health is the answer to health probes now.
func (s *Server) Health() Health { return Health(s.health.Load()) }

// behaviourFor merges the server's behaviour with what the request asks for.
func (s *Server) behaviourFor(h *head) (Behaviour, error) {
	var b Behaviour
	if def := s.behave.Load(); def != nil {
		b = *def
	}
	if v := h.get(HeaderDelay); v != "" {
		d, err := time.ParseDuration(v)
		if err != nil || d < 0 || d > MaxDelay {
			return b, fmt.Errorf("%s: want a duration of at most %s, got %q", HeaderDelay, MaxDelay, v)
		}
		b.Delay = d
	}
	if v := h.get(HeaderStatus); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 200 || n > 599 {
			return b, fmt.Errorf("%s: want 200 to 599, got %q", HeaderStatus, v)
		}
		b.Status = n
	}
	if v := h.get(HeaderReset); v != "" {
		if b.Reset = ResetPoint(v); b.Reset != ResetHead && b.Reset != ResetBody {
			return b, fmt.Errorf("%s: want head or body, got %q", HeaderReset, v)
		}
	}
	if v := h.get(HeaderSize); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n > MaxReplyBytes {
			return b, fmt.Errorf("%s: want 0 to %d, got %q", HeaderSize, MaxReplyBytes, v)
		}
		b.Size = n
	}
	b.Chunked = b.Chunked || h.get(HeaderChunked) != ""
	for _, v := range h.all(HeaderAdd) {
		if name, _, ok := strings.Cut(v, ":"); !ok || name == "" {
			return b, fmt.Errorf("%s: want \"Name: value\", got %q", HeaderAdd, v)
		}
		b.Add = append(b.Add[:len(b.Add):len(b.Add)], v)
	}
	return b, nil
}
