package framed

import (
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/sim/history"
)

// read takes all frames until there are no more.
func (c *Conn) read() {
	for {
		f, err := c.fr.ReadFrame()
		var stream http2.StreamError
		switch {
		case errors.As(err, &stream):
			c.note(func() { c.broken(fmt.Errorf("stream %d: a field section that is none: %w", stream.StreamID, err)) })
			continue
		case err != nil:
			c.note(func() { c.gone = err })
			return
		}
		c.take(f)
	}
}

// note changes what has come and tells those who wait.
func (c *Conn) note(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
	close(c.changed)
	c.changed = make(chan struct{})
}

// broken keeps the first thing that is wrong. The lock is held.
func (c *Conn) broken(err error) {
	if c.wrong == nil {
		c.wrong = err
	}
}

func (c *Conn) take(f http2.Frame) {
	answer := func(*http2.Framer) error { return nil }
	c.note(func() {
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if f.IsAck() {
				c.acks++
				return
			}
			c.settings(f)
			answer = func(fr *http2.Framer) error { return fr.WriteSettingsAck() }
		case *http2.PingFrame:
			if f.IsAck() {
				c.pongs++
				return
			}
			data := f.Data
			answer = func(fr *http2.Framer) error { return fr.WritePing(true, data) }
		case *http2.GoAwayFrame:
			c.away = append(c.away, Away{f.LastStreamID, f.ErrCode})
		case *http2.WindowUpdateFrame:
			if f.StreamID == 0 {
				c.window += int64(f.Increment)
			} else if s := c.streams[f.StreamID]; s != nil {
				s.window += int64(f.Increment)
			}
		case *http2.RSTStreamFrame:
			if s := c.streams[f.StreamID]; s != nil && s.reset == nil {
				s.reset = &f.ErrCode
			}
		case *http2.MetaHeadersFrame:
			c.fields(f)
		case *http2.DataFrame:
			answer = c.data(f)
		case *http2.PushPromiseFrame:
			c.broken(errors.New("PUSH_PROMISE, which was switched off"))
		}
	})
	_ = c.Write(answer) // who has gone needs none
}

func (c *Conn) settings(f *http2.SettingsFrame) {
	_ = f.ForeachSetting(func(s http2.Setting) error {
		switch s.ID {
		case http2.SettingInitialWindowSize:
			for _, st := range c.streams {
				st.window += int64(s.Val) - c.peer.window
			}
			c.peer.window = int64(s.Val)
		case http2.SettingMaxConcurrentStreams:
			c.peer.streams = s.Val
		}
		return nil
	})
}

// fields takes the head of an answer, an answer 1xx, or trailers.
func (c *Conn) fields(f *http2.MetaHeadersFrame) {
	s := c.streams[f.StreamID]
	if s == nil {
		c.broken(fmt.Errorf("HEADERS for stream %d, which was not asked for", f.StreamID))
		return
	}
	var fs []history.Field
	for _, h := range f.RegularFields() {
		fs = append(fs, history.Field{Name: h.Name, Value: h.Value})
	}
	status, err := strconv.Atoi(f.PseudoValue("status"))
	switch {
	case s.ended:
		c.broken(fmt.Errorf("stream %d: HEADERS behind its end", s.id))
	case s.status != 0:
		s.trailer = fs
		if len(f.PseudoFields()) > 0 || !f.StreamEnded() {
			c.broken(fmt.Errorf("stream %d: trailers with pseudo fields, or without an end", s.id))
		}
	case err != nil || status < 100:
		c.broken(fmt.Errorf("stream %d: status %q", s.id, f.PseudoValue("status")))
	case status < 200:
		s.interim = append(s.interim, status)
	default:
		s.status, s.header = status, fs
	}
	s.ended = s.ended || f.StreamEnded()
}

// data takes a part of a body and says how the windows open again.
func (c *Conn) data(f *http2.DataFrame) func(*http2.Framer) error {
	n, id, ended := int64(f.Length), f.StreamID, f.StreamEnded()
	s := c.streams[id]
	if s == nil {
		c.broken(fmt.Errorf("DATA for stream %d, which was not asked for", id))
		return func(*http2.Framer) error { return nil }
	}
	c.room -= n
	s.room -= n
	if c.room < 0 || s.room < 0 {
		c.broken(fmt.Errorf("stream %d: DATA beyond the window: %d bytes beyond that of the stream, %d beyond that of the connection", id, max(0, -s.room), max(0, -c.room)))
	}
	if s.ended || s.status == 0 {
		c.broken(fmt.Errorf("stream %d: DATA behind its end or before its head", id))
	}
	if s.body = append(s.body, f.Data()...); len(s.body) > maxBody {
		c.broken(fmt.Errorf("stream %d: a body of more than %d bytes", id, maxBody))
		s.body = s.body[:0]
	}
	s.ended = s.ended || ended
	if c.o.Hold || n == 0 {
		return func(*http2.Framer) error { return nil }
	}
	c.room += n
	s.room += n
	return func(fr *http2.Framer) error {
		if err := fr.WriteWindowUpdate(0, uint32(n)); err != nil || ended {
			return err
		}
		return fr.WriteWindowUpdate(id, uint32(n))
	}
}
