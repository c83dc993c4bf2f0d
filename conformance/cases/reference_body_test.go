package cases

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"time"
)

// A replay is the body of a request that passes as it comes, and that can be sent
// again from its beginning.
type replay struct {
	length int64 // -1: chunked

	mu   sync.Mutex
	src  io.Reader
	kept []byte
	err  error
}

// bodyOf is the body as this gateway has it.
func (g *reference) bodyOf(r *http.Request) *replay {
	spoilt := g.is("overwrites bodies") || g.is("drops chunked bodies") || g.is("cuts long bodies") || g.is("gathers requests")
	if !spoilt {
		return &replay{src: r.Body, length: r.ContentLength}
	}
	body, err := io.ReadAll(r.Body)
	body = g.spoil(r, body)
	if err == nil {
		err = io.EOF
	}
	return &replay{kept: body, err: err, length: int64(len(body))}
}

// spoil is what a gateway does to a body that does not keep its hands off it.
func (g *reference) spoil(r *http.Request, body []byte) []byte {
	switch {
	case g.is("overwrites bodies"):
		return bytes.Repeat([]byte{'z'}, len(body))
	case g.is("drops chunked bodies") && r.ContentLength < 0:
		return nil
	case g.is("cuts long bodies"):
		return body[:min(len(body), 1<<20)]
	}
	return body
}

// reader reads it from its beginning, and tells of each step.
func (b *replay) reader(moved func()) io.ReadCloser { return &replayReader{b: b, moved: moved} }

// ended says whether all of it has come.
func (b *replay) ended() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err != nil
}

// abandon ends all reading, however long the client would take: the library does
// not survive a read after its handler returned.
func (b *replay) abandon(rc *http.ResponseController) {
	for !b.mu.TryLock() {
		_ = rc.SetReadDeadline(time.Unix(1, 0)) // fails only on a dead connection, where reads end by themselves
		runtime.Gosched()
	}
	if b.err == nil {
		b.err = net.ErrClosed
	}
	b.mu.Unlock()
	_ = rc.SetReadDeadline(time.Time{}) // likewise
}

type replayReader struct {
	b     *replay
	at    int
	moved func()
}

func (r *replayReader) Read(p []byte) (int, error) {
	r.b.mu.Lock()
	defer r.b.mu.Unlock()
	for {
		if r.at < len(r.b.kept) {
			n := copy(p, r.b.kept[r.at:])
			r.at += n
			r.moved()
			return n, nil
		}
		if r.b.err != nil {
			return 0, r.b.err
		}
		n, err := r.b.src.Read(p)
		r.b.kept, r.b.err = append(r.b.kept, p[:n]...), err
	}
}

func (*replayReader) Close() error { return nil }
