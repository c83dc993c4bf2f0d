package std

import (
	"errors"
	"net/http"
	"time"
)

func (n *run) write(chunk []byte) error {
	n.limit()
	w, err := n.w.Write(chunk)
	n.unlimit()
	n.rec.Sent += int64(w)
	if errors.Is(err, http.ErrBodyNotAllowed) {
		return nil
	}
	return err
}

func (n *run) flush() error {
	n.limit()
	err := n.rc.Flush()
	n.unlimit()
	return err
}

// limit is before something is written to the client, and says when it must have taken it.
func (n *run) limit() {
	_ = n.rc.SetWriteDeadline(time.Now().Add(n.e.o.BodyTimeout)) // fails only where the write fails, too
}

// unlimit is behind it: over HTTP/2 the limit would reset a stream that has nothing to
// write.
func (n *run) unlimit() {
	if n.two {
		_ = n.rc.SetWriteDeadline(time.Time{}) // the same
	}
}

// end writes what the library holds back of an answer over HTTP/2: behind us it would have
// no limit. What is left then needs no window of the client's: a head, an empty frame,
// trailers. And no limit may be set that nobody takes back: the library resets with it
// also a stream that has ended meanwhile.
func (n *run) end() {
	if !n.two || n.rec.Cut || n.rec.Sent == 0 {
		return
	}
	if err := n.flush(); err != nil {
		n.cut(n.cutWrite(err))
	}
}
