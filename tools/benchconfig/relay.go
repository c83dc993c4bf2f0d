package main

import (
	"io"
	"net"
	"sync"
)

// A relay stands between a process and a server, and can part them. Safe for
// concurrent use.
type relay struct {
	listener net.Listener
	to       string

	mu     sync.Mutex
	parted bool
	conns  map[net.Conn]bool
	done   sync.WaitGroup
}

// newRelay relays connections to at on to another address.
func newRelay(at, to string) (*relay, error) {
	ln, err := net.Listen("tcp", at)
	if err != nil {
		return nil, err
	}
	r := &relay{listener: ln, to: to, conns: map[net.Conn]bool{}}
	r.done.Go(r.accept)
	return r, nil
}

func (r *relay) accept() {
	for {
		near, err := r.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", r.to)
		if err != nil || !r.keep(near, far) {
			_ = near.Close()
			if far != nil {
				_ = far.Close()
			}
			continue
		}
		r.done.Go(func() { r.copy(near, far) })
		r.done.Go(func() { r.copy(far, near) })
	}
}

// keep notes the connections of a pair; false: the two are parted.
func (r *relay) keep(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.parted {
		return false
	}
	for _, c := range conns {
		r.conns[c] = true
	}
	return true
}

// copy copies until one end is closed, and closes both.
func (r *relay) copy(to, from net.Conn) {
	_, _ = io.Copy(to, from) // how it ends says nothing
	_, _ = to.Close(), from.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, to)
	delete(r.conns, from)
}

// cut ends all connections; new ones are closed at once until heal.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.parted = true
	for c := range r.conns {
		_ = c.Close()
	}
}

func (r *relay) heal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.parted = false
}

// Close ends the relay and waits for it.
func (r *relay) Close() error {
	err := r.listener.Close()
	r.cut()
	r.done.Wait()
	return err
}
