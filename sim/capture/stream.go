package capture

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// DefaultStreamBytes is how large the file of a stream becomes.
const DefaultStreamBytes = 256 << 20

// packetOverhead is about what a pcapng file adds to each frame, in bytes.
const packetOverhead = 64

// ErrFull is the reason for which a stream ended that reached its size.
var ErrFull = errors.New("the capture has reached its size")

// A Stream writes frames to one pcapng while they come, each at once, so that the
// file can be read while it grows. Frames of different links are in the order in
// which they were added.
type Stream struct {
	limit int64
	done  chan struct{}

	mu      sync.Mutex
	out     *writer
	written int64
	counts  []tally
	names   []string
	err     error
	closed  bool
}

// NewStream begins a file for the links. It takes no more frames once it has about
// limitBytes; 0: DefaultStreamBytes.
func NewStream(w io.Writer, limitBytes int64, links ...string) (*Stream, error) {
	if limitBytes <= 0 {
		limitBytes = DefaultStreamBytes
	}
	out, err := newWriter(w, links)
	if err != nil {
		return nil, err
	}
	if err := out.flush(); err != nil {
		return nil, err
	}
	return &Stream{limit: limitBytes, done: make(chan struct{}), out: out, names: links, counts: make([]tally, len(links))}, nil
}

// Done is closed when the stream takes no more frames; Close says why.
func (s *Stream) Done() <-chan struct{} { return s.done }

// Sink takes the frames of one of the links. Frames that come after the stream has
// ended are counted as missing.
func (s *Stream) Sink(link string) (Sink, error) {
	for i, name := range s.names {
		if name == link {
			return streamSink{s, i}, nil
		}
	}
	return nil, fmt.Errorf("no link %q in this capture", link)
}

// Missing is how many frames were on the links and are not in the file.
func (s *Stream) Missing() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var n uint64
	for _, t := range s.counts {
		n += t.missing
	}
	return n
}

// Close writes the counters of the links. The error is the first there was, ErrFull
// among them. Later calls return the same.
func (s *Stream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return s.err
	}
	s.closed = true
	if s.err == nil || errors.Is(s.err, ErrFull) {
		s.err = errors.Join(s.err, s.out.end(s.counts))
	}
	s.end(nil)
	return s.err
}

// end makes the stream take no more; mu is held.
func (s *Stream) end(why error) {
	if s.err == nil {
		s.err = why
	}
	select {
	case <-s.done:
	default:
		close(s.done)
	}
}

type streamSink struct {
	s    *Stream
	link int
}

func (k streamSink) Add(at time.Time, d Direction, note string, frame []byte, length int) {
	if len(frame) > Snap {
		frame = frame[:Snap]
	}
	s := k.s
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[k.link].seen++
	size := int64(len(frame) + packetOverhead)
	switch {
	case s.err != nil || s.closed:
	case s.written+size > s.limit:
		s.end(ErrFull)
	default:
		err := s.out.packet(k.link, at, d, note, frame, max(length, len(frame)))
		if err == nil {
			err = s.out.flush()
		}
		if err == nil {
			s.written += size
			return
		}
		s.end(err)
	}
	s.counts[k.link].missing++
}

func (k streamSink) Lose(n uint64) {
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	k.s.counts[k.link].seen += n
	k.s.counts[k.link].missing += n
}
