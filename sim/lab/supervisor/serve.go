package supervisor

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/proc"
)

// serve answers clients until the listener is closed.
func (s *supervisor) serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.log.Warn("cannot accept a client", "err", err)
			continue
		}
		go func() {
			defer c.Close()
			if unixConn, ok := c.(*net.UnixConn); ok && s.allowed(unixConn) {
				s.answer(unixConn)
			}
		}()
	}
}

// allowed reports whether the peer is the user who started the lab, or root: an
// abstract socket has no permissions of its own.
func (s *supervisor) allowed(c *net.UnixConn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	var cred *unix.Ucred
	cerr := raw.Control(func(fd uintptr) { cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	return cerr == nil && err == nil && (cred.Uid == 0 || int(cred.Uid) == os.Getuid())
}

// answer reads one request and writes one reply.
func (s *supervisor) answer(c *net.UnixConn) {
	r, files, rest, err := readRequest(c)
	if err != nil {
		return // a probe whether we are alive, or not one of ours
	}
	defer closeAll(files)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	messages := make(chan message)
	go listen(ctx, cancel, io.MultiReader(bytes.NewReader(rest), c), messages)
	_ = json.NewEncoder(c).Encode(s.reply(ctx, r, files, messages)) // the client may be gone
	if r.Verb == verbDown {
		// The process ends now: the reply must be on its way, and it is, in the
		// socket's buffer.
		return
	}
}

// listen reads what the client sends while its request is served. When it is gone
// the request is called off.
func listen(ctx context.Context, cancel context.CancelFunc, from io.Reader, to chan<- message) {
	defer cancel()
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		var m message
		if json.Unmarshal(lines.Bytes(), &m) != nil {
			return
		}
		select {
		case to <- m:
		case <-ctx.Done():
			return
		}
	}
}

func (s *supervisor) reply(ctx context.Context, r request, files []*os.File, messages <-chan message) reply {
	if r.Verb == verbDown {
		s.end(errors.New("asked by a client"))
		<-s.gone
		return reply{}
	}
	l := s.running()
	if l == nil {
		if r.Verb == verbStatus {
			return reply{Status: &lab.Status{Lab: s.entry.Name}}
		}
		return reply{Error: fmt.Sprintf("lab %s is still coming up", s.entry.Name), Input: true}
	}
	switch r.Verb {
	case verbStatus:
		st := l.Status()
		return reply{Status: &st}
	case verbExec:
		return s.exec(ctx, l, r, files, messages)
	case verbInject:
		// A client that dies leaves the lab as it is, not half broken.
		return s.inject(context.WithoutCancel(ctx), r)
	case verbCapture:
		return s.capture(ctx, l, r, files, messages)
	case verbFaults:
		return reply{Lacking: l.Lacking()}
	case verbHeal:
		return s.heal(context.WithoutCancel(ctx), r)
	default:
		return reply{Error: fmt.Sprintf("unknown request %q: client and supervisor are of different builds", r.Verb)}
	}
}

// exec runs a command with the client's own streams.
func (s *supervisor) exec(ctx context.Context, l *lab.Lab, r request, files []*os.File, messages <-chan message) reply {
	n, err := l.Node(r.Node)
	if err != nil {
		return reply{Error: err.Error(), Input: true}
	}
	if len(files) != execFiles {
		return reply{Error: fmt.Sprintf("exec needs %d files, got %d", execFiles, len(files))}
	}
	p, err := n.Start(lab.Command{Path: r.Path, Args: r.Args, Env: r.Env, Dir: r.Dir, Terminal: r.Terminal}, files[0], files[1], files[2])
	if err != nil {
		return reply{Error: err.Error(), Input: true}
	}
	for {
		select {
		case <-p.Done():
			return reply{Code: p.Exit().Code}
		case m := <-messages:
			_ = p.Signal(syscall.Signal(m.Signal)) // it may have ended
		case <-ctx.Done():
			if err := p.Kill(); err != nil && !errors.Is(err, proc.ErrEnded) {
				s.log.Warn("cannot kill the command of a client that is gone", "node", r.Node, "err", err)
			}
			<-p.Done()
			return reply{Code: p.Exit().Code}
		}
	}
}
