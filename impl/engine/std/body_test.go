package std

import (
	"io"
	"net/http"
	"sync"
	"testing"
	"time"
)

// deadlines is a connection of which the deadlines are kept; whoever takes one off is late
// in going on.
type deadlines struct {
	http.ResponseWriter
	mu   sync.Mutex
	last time.Time
	past chan struct{} // somebody has ended the reads
}

func (d *deadlines) SetReadDeadline(at time.Time) error {
	d.mu.Lock()
	d.last = at
	d.mu.Unlock()
	if at.IsZero() {
		select {
		case <-d.past:
		case <-time.After(100 * time.Millisecond): // long for somebody who would
		}
		return nil
	}
	if at.Unix() == 1 {
		select {
		case d.past <- struct{}{}:
		default:
		}
	}
	return nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// The end of the body comes as the exchange ends: no deadline of ours is left on the
// connection, or the library's next read fails, and takes the next request with it.
func TestBodyThatEndsWithItsExchangeLeavesNoDeadline(t *testing.T) {
	reading, end := make(chan struct{}), make(chan struct{})
	d := &deadlines{past: make(chan struct{})}
	b := &clientBody{length: -1, limit: 10, timeout: time.Minute, rc: http.NewResponseController(d), trailer: func() http.Header { return nil },
		src: readerFunc(func([]byte) (int, error) { close(reading); <-end; return 0, io.EOF })}
	b.moved.L = &b.mu
	r := b.open(nil, func(bool) {})
	read := make(chan error, 1)
	go func() { _, err := r.Read(make([]byte, 1)); read <- err }()
	<-reading
	complete := make(chan bool, 1)
	go func() { complete <- b.abandon() }()
	<-read // it knows that the exchange is over
	close(end)
	if !<-complete {
		t.Error("the body is not complete")
	}
	if d.mu.Lock(); !d.last.IsZero() {
		t.Errorf("the deadline %v is left", d.last)
	}
}
