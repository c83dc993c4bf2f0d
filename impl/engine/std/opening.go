package std

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"time"
)

// opening is a connection to a target that speaks HTTP/2, until the target has said how:
// its first frame is SETTINGS and has the number of streams that it takes (RFC 9113,
// 3.4). Requests wait for that. The library does not, takes a number of its own for
// granted and, when it was too high, waits for streams that nobody has begun. And
// who speaks something else is found out before it is sent a request.
type opening struct {
	net.Conn
	done chan struct{} // closed when the frame has been read, and acted on, or will not come
	once sync.Once
	err  error // then

	head []byte // of the frame
	left int    // bytes of the frame behind its head
}

const frameHead = 9 // bytes

// Read is called by one goroutine, which acts on a frame before it reads on.
func (o *opening) Read(b []byte) (int, error) {
	if len(o.head) == frameHead && o.left <= 0 {
		o.end(nil)
		return o.Conn.Read(b)
	}
	n, err := o.Conn.Read(b)
	if err != nil {
		o.end(fmt.Errorf("target does not speak HTTP/2: %w", err))
		return n, err
	}
	begin := b[:n]
	if k := min(frameHead-len(o.head), n); k > 0 {
		o.head, begin = append(o.head, b[:k]...), b[k:n]
		if len(o.head) == frameHead {
			o.left = int(binary.BigEndian.Uint32(o.head) >> 8)
		}
	}
	o.left -= len(begin)
	return n, nil
}

// Close is the library's word that it will not read on.
func (o *opening) Close() error {
	o.end(errNoHTTP2)
	return o.Conn.Close()
}

func (o *opening) end(err error) {
	o.once.Do(func() {
		o.err = err
		close(o.done)
	})
}

// wait returns when requests may be sent.
func (o *opening) wait(ctx context.Context) error {
	limit, _ := ctx.Value(connectKey{}).(time.Duration)
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-o.done:
		if o.err != nil {
			return &dialError{err: o.err}
		}
		return nil
	case <-timer.C:
		return &dialError{err: errSilent, timeout: true}
	}
}
