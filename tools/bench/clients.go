package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/unilb/unilb/tools/bench/load"
)

// Two more loads of our own: full handshakes, which wrk does not promise (it keeps
// the session of a connection that it opens again), and connections that do nothing.
const (
	handshakePart = "unilb-bench-handshakes"
	idlePart      = "unilb-bench-idle"
)

// clientOrder is what these loads have to do; it is the part's argument, as JSON.
type clientOrder struct {
	At      string
	TLS     bool
	Request string
	Want    int // bytes of the body
	Conns   int
	For     time.Duration // handshakes only
}

const answerWithin = 10 * time.Second

func order() (o clientOrder, _ error) {
	return o, json.Unmarshal([]byte(os.Args[1]), &o)
}

// ask connects, sends the request and reads the whole answer. The connection is the
// caller's.
func (o clientOrder) ask() (net.Conn, error) {
	c, err := net.DialTimeout("tcp", o.At, answerWithin)
	if err != nil {
		return nil, err
	}
	if err := c.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		return nil, err
	}
	if o.TLS {
		c = tls.Client(c, clientTLS())
	}
	if _, err := io.WriteString(c, o.Request); err != nil {
		return c, err
	}
	a := load.NewAsking()
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		whole, bad := a.Take(buf[:n])
		switch {
		case bad != nil:
			return c, bad
		case whole:
			return c, nil
		case err != nil:
			return c, fmt.Errorf("the connection ended before the answer: %w", err)
		}
	}
}

func playHandshakes() int {
	o, err := order()
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(o.handshakes())
	}
	return told("handshakes", err)
}

// handshakes makes connections one after the other, as many at a time as ordered.
func (o clientOrder) handshakes() load.Outcome {
	start := time.Now()
	var mu sync.Mutex
	var out load.Outcome
	var took []time.Duration
	var wg sync.WaitGroup
	for range o.Conns {
		wg.Go(func() {
			for time.Since(start) < o.For {
				begin := time.Now()
				c, err := o.ask()
				if c != nil {
					_ = c.Close() // the answer has come
				}
				mu.Lock()
				if err != nil {
					out.Errors++
					out.Why = err.Error()
				} else {
					took = append(took, time.Since(begin))
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	slices.Sort(took)
	out.Requests, out.Took = len(took), time.Since(start).Seconds()
	out.P50, out.P99 = load.Quantile(took, 0.5), load.Quantile(took, 0.99)
	return out
}

// playIdle opens the connections, one request each, says so on standard output and
// holds them until standard input ends.
func playIdle() int {
	o, err := order()
	if err != nil {
		return told("idle", err)
	}
	start := time.Now()
	conns, err := o.askAll()
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(load.Outcome{Requests: len(conns), Took: time.Since(start).Seconds()})
	}
	if err == nil {
		_, err = io.Copy(io.Discard, os.Stdin)
	}
	for _, c := range conns {
		_ = c.Close() // nobody waits for them
	}
	return told("idle", err)
}

// askAll makes all connections, some at a time.
func (o clientOrder) askAll() ([]net.Conn, error) {
	const atATime = 32
	conns := make([]net.Conn, o.Conns)
	var g errgroup.Group
	g.SetLimit(atATime)
	for i := range conns {
		g.Go(func() (err error) {
			if conns[i], err = o.ask(); err != nil {
				return fmt.Errorf("connection %d: %w", i+1, err)
			}
			return conns[i].SetDeadline(time.Time{})
		})
	}
	err := g.Wait()
	return slices.DeleteFunc(conns, func(c net.Conn) bool { return c == nil }), err
}

func told(who string, err error) int {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", who, err)
		return codeBroken
	}
	return codeGood
}

// lastOutcome reads what a load of ours printed.
func lastOutcome(text string) (load.Outcome, error) {
	var o load.Outcome
	if err := json.Unmarshal(bytes.TrimSpace([]byte(text)), &o); err != nil {
		return o, fmt.Errorf("read the load's outcome %q: %w", text, err)
	}
	return o, nil
}
