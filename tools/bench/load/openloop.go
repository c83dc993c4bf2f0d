package load

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// The open-loop load sends each request at its moment, whether or not others are
// answered, and counts latency from that moment: a proxy that stands still is not
// spared the requests that would have come meanwhile. One locked thread, raw epoll;
// a timer of the kernel ticks once for each request.

// OpenPart is the name of the part of a sandbox that is an open-loop load.
const OpenPart = "unilb-bench-open-loop"

// OpenOrder is what the load has to do; it is the part's argument, as JSON.
type OpenOrder struct {
	At       netip.AddrPort
	Requests []string // in turn
	Conns    int
	Rate     int // requests a second
	For      time.Duration
	Patience time.Duration // for answers after the last request was sent
	Parts    int           // of the answers, in their order, that are told of each by itself; 0: none
}

// Outcome is what a load tells of a slice; our own loads print it as JSON.
type Outcome struct {
	Requests int     // that were answered
	Took     float64 // seconds
	Errors   int
	P50, P99 float64 // milliseconds
	// PartP99 are the 99th percentiles of equal parts of an open load's answers, in
	// their order.
	PartP99 []float64 `json:",omitempty"`
	Why     string    // the first error
}

type openLoad struct {
	OpenOrder
	epoll, timer int
	start        time.Time
	sent, done   int
	errors       int
	why          string
	conns        map[int32]*Asking
	free         []int32
	latency      []time.Duration
	buf          []byte
}

// PlayOpen is the part: it plays the order that it is given and prints the outcome, as
// JSON. It returns the exit code.
func PlayOpen() int {
	var o OpenOrder
	err := json.Unmarshal([]byte(os.Args[1]), &o)
	if err == nil {
		runtime.LockOSThread()
		var out Outcome
		if out, err = Open(o); err == nil {
			err = json.NewEncoder(os.Stdout).Encode(out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "open loop:", err)
		return broken
	}
	return 0
}

// Open plays an order on the thread that calls it.
func Open(o OpenOrder) (Outcome, error) {
	if len(o.Requests) == 0 || o.Rate <= 0 {
		return Outcome{}, errors.New("an open-loop load without requests")
	}
	l := &openLoad{OpenOrder: o, conns: map[int32]*Asking{}, buf: make([]byte, 64<<10)}
	return l.run()
}

func (l *openLoad) run() (Outcome, error) {
	total := int(float64(l.Rate) * l.For.Seconds())
	l.latency = make([]time.Duration, 0, total)
	var err error
	if l.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return Outcome{}, err
	}
	for range l.Conns {
		if err := l.connect(); err != nil {
			return Outcome{}, err
		}
	}
	if err := l.startTimer(); err != nil {
		return Outcome{}, err
	}
	end := l.start.Add(l.For + l.Patience)
	events := make([]unix.EpollEvent, 512)
	for l.done+l.errors < total && time.Now().Before(end) {
		n, err := unix.EpollWait(l.epoll, events, 100)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return Outcome{}, err
		}
		for _, e := range events[:max(n, 0)] {
			if int(e.Fd) != l.timer {
				l.read(e.Fd)
			}
		}
		if err := l.drainTimer(); err != nil {
			return Outcome{}, err
		}
		l.send(total)
	}
	took := time.Since(l.start)
	if missing := total - l.done - l.errors; missing > 0 {
		l.errors += missing
		l.fail(fmt.Sprintf("%d of %d requests were not answered %s after the last", missing, total, l.Patience))
	}
	parts := partP99(l.latency, l.Parts)
	slices.Sort(l.latency)
	return Outcome{PartP99: parts, Requests: l.done, Took: took.Seconds(), Errors: l.errors, P50: Quantile(l.latency, 0.5), P99: Quantile(l.latency, 0.99), Why: l.why}, nil
}

// partP99 are the 99th percentiles of so many parts.
func partP99(all []time.Duration, parts int) (out []float64) {
	for i := range parts {
		part := slices.Sorted(slices.Values(all[i*len(all)/parts : (i+1)*len(all)/parts]))
		out = append(out, Quantile(part, 0.99))
	}
	return out
}

// Quantile of sorted durations, in milliseconds; 0: there are none.
func Quantile(ds []time.Duration, q float64) float64 {
	if len(ds) == 0 {
		return 0
	}
	return float64(ds[min(len(ds)-1, int(q*float64(len(ds))))]) / 1e6
}

func (l *openLoad) fail(why string) {
	if l.why == "" {
		l.why = why
	}
}

// startTimer lets the kernel tick once for each request.
func (l *openLoad) startTimer() (err error) {
	if l.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
		return err
	}
	every := unix.NsecToTimespec(int64(time.Second) / int64(l.Rate))
	if err := unix.TimerfdSettime(l.timer, 0, &unix.ItimerSpec{Interval: every, Value: every}, nil); err != nil {
		return err
	}
	l.start = time.Now()
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, l.timer, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(l.timer)})
}

// drainTimer takes note of the ticks; what is due is told by the clock.
func (l *openLoad) drainTimer() error {
	var ticks [8]byte
	if _, err := unix.Read(l.timer, ticks[:]); err != nil && !errors.Is(err, unix.EAGAIN) {
		return err
	}
	return nil
}

func (l *openLoad) connect() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: int(l.At.Port()), Addr: l.At.Addr().As4()}); err != nil {
		return fmt.Errorf("connect to %s: %w", l.At, err)
	}
	if err := errors.Join(unix.SetNonblock(fd, true), unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)); err != nil {
		return err
	}
	l.conns[int32(fd)] = &Asking{rest: -1}
	l.free = append(l.free, int32(fd))
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

// dueAt is the moment of the n-th request.
func (l *openLoad) dueAt(n int) time.Time {
	return l.start.Add(time.Duration(float64(n) / float64(l.Rate) * float64(time.Second)))
}

// send sends all requests that are due, as long as connections are free.
func (l *openLoad) send(total int) {
	for now := time.Now(); l.sent < total && len(l.free) > 0; {
		due := l.dueAt(l.sent)
		if due.After(now) {
			return
		}
		fd := l.free[len(l.free)-1]
		l.free = l.free[:len(l.free)-1]
		request := l.Requests[l.sent%len(l.Requests)]
		l.sent++
		c := l.conns[fd]
		c.due, c.busy, c.in, c.rest = due, true, c.in[:0], -1
		if n, err := unix.Write(int(fd), []byte(request)); err != nil || n < len(request) {
			l.lose(fd, fmt.Sprintf("send: %d bytes, %v", n, err))
		}
	}
}

// lose gives a connection up, with the request on it, and makes another.
func (l *openLoad) lose(fd int32, why string) {
	c := l.conns[fd]
	unix.Close(int(fd))
	delete(l.conns, fd)
	l.free = slices.DeleteFunc(l.free, func(f int32) bool { return f == fd })
	if c.busy {
		l.errors++
	}
	l.fail(why)
	if err := l.connect(); err != nil {
		l.fail(err.Error())
	}
}

func (l *openLoad) read(fd int32) {
	c := l.conns[fd]
	if c == nil {
		return
	}
	n, err := unix.Read(int(fd), l.buf)
	if errors.Is(err, unix.EAGAIN) {
		return
	}
	if err != nil || n == 0 {
		l.lose(fd, fmt.Sprintf("the connection ended: %v", err))
		return
	}
	if !c.busy {
		l.lose(fd, "bytes that nobody asked for")
		return
	}
	switch whole, err := c.Take(l.buf[:n]); {
	case err != nil:
		l.lose(fd, err.Error())
	case whole:
		c.busy = false
		l.done++
		l.latency = append(l.latency, time.Since(c.due))
		l.free = append(l.free, fd)
	}
}
