package gateway

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/engine/std"
)

type stdEngine struct{ *std.Engine }

func (stdEngine) Listen(address string, inherited []int) (net.Listener, error) {
	if len(inherited) > 0 {
		return adopt(inherited)
	}
	c := net.ListenConfig{Control: shared}
	return c.Listen(context.Background(), "tcp", address)
}

func (stdEngine) Sockets(ln net.Listener) ([]int, error) { return sockets(ln) }

func (e stdEngine) Serve(ln net.Listener) error { return each(ln, e.Engine.Serve) }

func (e stdEngine) ServeTLS(ln net.Listener) error { return each(ln, e.Engine.ServeTLS) }

// several are the listeners of one address that a process with more event loops than one
// has left to us. The first answers for its address; each must be accepted from.
type several struct {
	net.Listener
	others []net.Listener
}

// adopt makes a listener of sockets that listen already, and closes them when it cannot.
func adopt(fds []int) (net.Listener, error) {
	var all []net.Listener
	var failed error
	for _, fd := range fds {
		f := os.NewFile(uintptr(fd), "inherited listener")
		ln, err := net.FileListener(f) // of a duplicate
		_ = f.Close()
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		all = append(all, ln)
	}
	switch {
	case failed != nil:
		for _, ln := range all {
			_ = ln.Close()
		}
		return nil, failed
	case len(all) == 1:
		return all[0], nil
	}
	return &several{all[0], all[1:]}, nil
}

// each serves all of what may be several listeners, and returns when that has ended.
func each(ln net.Listener, serve func(net.Listener) error) error {
	s, ok := ln.(*several)
	if !ok {
		return serve(ln)
	}
	errs := make([]error, len(s.others))
	var wg sync.WaitGroup
	for i, other := range s.others {
		wg.Go(func() { errs[i] = serve(other) })
	}
	err := serve(s.Listener)
	wg.Wait()
	return errors.Join(append(errs, err)...)
}

// Close ends accepting from all of them.
func (s *several) Close() error {
	err := s.Listener.Close()
	for _, ln := range s.others {
		err = errors.Join(err, ln.Close())
	}
	return err
}

// sockets returns duplicates of the sockets of a listener of the library's.
func sockets(ln net.Listener) ([]int, error) {
	all := []net.Listener{ln}
	if s, ok := ln.(*several); ok {
		all = append([]net.Listener{s.Listener}, s.others...)
	}
	var out []int
	for _, ln := range all {
		raw, err := ln.(*net.TCPListener).SyscallConn()
		if err == nil {
			// Not File, which would make the socket blocking once its descriptor is asked for.
			failed := raw.Control(func(fd uintptr) {
				var dup int
				if dup, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0); err == nil {
					out = append(out, dup)
				}
			})
			err = errors.Join(err, failed)
		}
		if err != nil {
			for _, fd := range out {
				_ = unix.Close(fd)
			}
			return nil, err
		}
	}
	return out, nil
}
