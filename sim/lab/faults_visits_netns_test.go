//go:build netns

package lab_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/topology"
)

// How long an answer may take that is to come, and how long none has to come to
// count as silence.
const (
	patience = 15 * time.Second
	silence  = time.Second
)

// A visit is one connection of a client.
type visit struct {
	net.Conn
	answers *bufio.Reader
	host    string
}

// visit connects from a node; host is what it asks for.
func (s *site) visit(from topology.Ref, to netip.AddrPort, host string, within time.Duration) (*visit, error) {
	n, err := s.Node(from)
	if err != nil {
		return nil, err
	}
	c, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	conn, err := n.Dial(c, "tcp4", to)
	if err != nil {
		return nil, err
	}
	return &visit{Conn: conn, answers: bufio.NewReader(conn), host: host}, nil
}

// open makes visits that answer and stay until the test is over.
func (s *site) open(t *testing.T, n int, from topology.Ref, to netip.AddrPort, host string) []*visit {
	t.Helper()
	var out []*visit
	for range n {
		v, err := s.visit(from, to, host, patience)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { v.Close() })
		if _, err := v.get(patience); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// get sends a request with more header lines and returns the status.
func (v *visit) get(within time.Duration, headers ...string) (int, error) {
	if err := v.SetDeadline(time.Now().Add(within)); err != nil {
		return 0, err
	}
	if _, err := fmt.Fprintf(v, "GET / HTTP/1.1\r\nHost: %s\r\n%s\r\n", v.host, strings.Join(append(headers, ""), "\r\n")); err != nil {
		return 0, err
	}
	resp, err := http.ReadResponse(v.answers, nil)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, errors.Join(err, resp.Body.Close())
}

// answers asks again on visits that are open, all at once, and counts what came of
// them: a status, "silence", or another error.
func answers(visits []*visit, within time.Duration) map[string]int {
	return tally(len(visits), func(i int) string { return outcome(visits[i].get(within)) })
}

// outcomes makes n visits of one request each, all at once, and counts likewise.
func (s *site) outcomes(n int, from topology.Ref, to netip.AddrPort, host string, within time.Duration, headers ...string) map[string]int {
	return tally(n, func(int) string {
		v, err := s.visit(from, to, host, within)
		if err != nil {
			return outcome(0, err)
		}
		defer v.Close()
		return outcome(v.get(within, headers...))
	})
}

func tally(n int, do func(int) string) map[string]int {
	got := map[string]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			what := do(i)
			mu.Lock()
			defer mu.Unlock()
			got[what]++
		})
	}
	wg.Wait()
	return got
}

func outcome(status int, err error) string {
	switch {
	case timedOut(err):
		return "silence"
	case errors.Is(err, unix.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "reset"
	case err != nil:
		return err.Error()
	default:
		return fmt.Sprint(status)
	}
}
