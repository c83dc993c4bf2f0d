package gateway

import (
	"bufio"
	"encoding/json"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/unilb/unilb/impl/exchange"
	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/proxy"
)

const (
	// backlogLines bounds the lines that wait for the writer. Beyond it lines
	// are dropped and counted: a slow disk must not slow requests.
	backlogLines = 8192
	flushEvery   = 200 * time.Millisecond
)

// accessLog writes one JSON line for each request, from a goroutine of its own.
type accessLog struct {
	lines   chan []byte
	dropped atomic.Int64
	stop    chan struct{}
	done    chan struct{}
	once    sync.Once
	log     *slog.Logger
}

// accessLine is one line. Durations are in milliseconds, sizes in bytes.
type accessLine struct {
	Time       string  `json:"time"`
	Remote     string  `json:"remote"`
	Local      string  `json:"local"`
	Method     string  `json:"method"`
	Host       string  `json:"host"`
	URI        string  `json:"uri"`
	Proto      string  `json:"proto"`
	Status     int     `json:"status"`
	Received   int64   `json:"received"`
	Sent       int64   `json:"sent"`
	DurationMS float64 `json:"duration_ms"`
	Route      string  `json:"route,omitempty"`
	Upstream   string  `json:"upstream,omitempty"`
	Target     string  `json:"target,omitempty"`
	Tries      []int   `json:"tries,omitempty"`
	Failure    string  `json:"failure,omitempty"`
	Cut        bool    `json:"cut,omitempty"`
}

func newAccessLog(w io.Writer, log *slog.Logger) *accessLog {
	a := &accessLog{lines: make(chan []byte, backlogLines), stop: make(chan struct{}), done: make(chan struct{}), log: log}
	go a.write(w)
	return a
}

// add queues the line of an exchange. It never blocks. Lines of requests that
// outlive close (they were cut) are lost.
func (a *accessLog) add(x *exchange.Exchange, e proxy.Entry) {
	r := &x.Request
	b, err := json.Marshal(accessLine{
		Time: time.Now().UTC().Format(time.RFC3339Nano), Remote: r.Remote.String(), Local: r.Local.String(),
		Method: r.Method, Host: r.Authority, URI: r.Target, Proto: r.Proto.String(), Status: e.Status,
		Received: e.Received, Sent: e.Sent, DurationMS: float64(e.Duration.Microseconds()) / 1000,
		Route: e.Route, Upstream: e.Upstream, Target: e.Target, Tries: e.Tries, Failure: e.Failure, Cut: e.Cut,
	})
	if err != nil {
		return // plain fields always marshal
	}
	select {
	case a.lines <- append(b, '\n'):
	default:
		a.dropped.Add(1)
	}
}

func (a *accessLog) write(w io.Writer) {
	defer close(a.done)
	const buffer = 64 << 10
	out := bufio.NewWriterSize(w, buffer)
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	failed := false
	for {
		var err error
		select {
		case line := <-a.lines:
			_, err = out.Write(line)
		case <-a.stop:
			for len(a.lines) > 0 {
				_, _ = out.Write(<-a.lines)
			}
			_ = out.Flush() // the end: nobody is left to tell
			return
		case <-tick.C:
			err = out.Flush()
			if n := a.dropped.Swap(0); n > 0 {
				a.log.Warn("access log lines dropped", "lines", n)
			}
		}
		if err != nil && !failed {
			failed = true // once: the error of a bufio.Writer stays
			a.log.Error("access log failed", obs.Err, err)
		}
	}
}

// close writes what waits and ends.
func (a *accessLog) close() {
	a.once.Do(func() { close(a.stop) })
	<-a.done
}
