package netns

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// A Thread is one operating-system thread that lives until Close and runs
// functions in namespaces, one at a time. It exists for children: a child's
// parent-death signal is tied to the thread that forked it, so all children of a
// lab are forked from one thread that lives as long as the lab. Only inside a
// function given to Thread.Do may a process be started, and then with files as
// its standard streams: a pipe would start a goroutine, outside.
type Thread struct {
	work chan job
	done chan struct{}
	once sync.Once
}

type job struct {
	ns  *NS
	f   func() error
	err chan error
}

// ErrThreadLost is returned when the thread could not go back to its own
// namespace. It is of no more use.
var ErrThreadLost = errors.New("thread could not return to its own network namespace")

// NewThread starts a thread in the namespace of the process.
func NewThread() *Thread {
	t := &Thread{work: make(chan job), done: make(chan struct{})}
	go t.run()
	return t
}

func (t *Thread) run() {
	runtime.LockOSThread() // never unlocked
	home, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	lost := err
	defer func() {
		if home >= 0 {
			_ = unix.Close(home)
		}
	}()
	for {
		select {
		case <-t.done:
			return
		case j := <-t.work:
			if lost != nil {
				j.err <- fmt.Errorf("%w: %w", ErrThreadLost, lost)
				continue
			}
			err, back := t.in(home, j)
			lost = back
			j.err <- errors.Join(err, back)
		}
	}
}

// in runs one job and returns its error, and the error of going home.
func (t *Thread) in(home int, j job) (err, back error) {
	if j.ns == nil {
		return j.f(), nil
	}
	j.ns.mu.RLock()
	defer j.ns.mu.RUnlock()
	if j.ns.closed {
		return ErrClosed, nil
	}
	if err := unix.Setns(int(j.ns.ns.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter network namespace: %w", err), nil
	}
	err = j.f()
	return err, unix.Setns(home, unix.CLONE_NEWNET)
}

// Do runs f on the thread, inside ns (nil: the namespace of the process), and
// returns its error. Calls wait for each other.
func (t *Thread) Do(ns *NS, f func() error) error {
	j := job{ns: ns, f: f, err: make(chan error, 1)}
	select {
	case t.work <- j:
		return <-j.err
	case <-t.done:
		return ErrClosed
	}
}

// Close ends the thread; children that asked for a parent-death signal get it.
// Later calls do nothing.
func (t *Thread) Close() error {
	t.once.Do(func() { close(t.done) })
	return nil
}
