package raw

import "fmt"

// doubt keeps that the bytes of a connection are not one clear request.
func (b *Backend) doubt(s *stream, why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.doubtful(s, s.b, why)
}

// doubtful is doubt with the lock held.
func (b *Backend) doubtful(s *stream, bytes []byte, why string) {
	s.left = nil
	b.seen.Doubts = append(b.seen.Doubts, fmt.Sprintf("%s (in %.300q)", why, bytes))
}

// keep remembers bytes that are no whole request yet, for whoever asks next.
func (b *Backend) keep(s *stream) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.left = s.b
}

// leftOver judges what lies on a connection when the case asks, or when the
// connection ends. A request whose body is still to come has begun: the client may
// have gone away in the midst of it, and its target says whose it is. Bytes behind
// a whole request of which nobody can tell whose they are must not be there: who
// sends the next request over the connection sends it as their end. A head that is
// cut on a connection of its own harms nobody. The lock is held.
func (b *Backend) leftOver(s *stream) {
	rest := s.left
	s.left = nil
	for len(rest) > 0 {
		r, n, err := next(rest)
		switch {
		case err != nil:
			b.doubtful(s, rest, err.Error())
			return
		case n > 0: // it was not answered yet, or never will be
			rest = rest[n:]
			continue
		}
		head := &scan{b: rest}
		if _, err = head.head(&r); err == nil && !head.more {
			r.Body = rest[head.at:]
			b.seen.Begun = append(b.seen.Begun, r)
		} else if s.behind {
			b.doubtful(s, rest, "bytes behind a request that are none")
		}
		return
	}
}
