package loop

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/sys/unix"
)

// onlyTrunk is the connection of a loop that has one.
func onlyTrunk(l *loop) (*trunk, error) {
	var all []*trunk
	for _, p := range l.pools {
		all = append(all, p.trunks...)
	}
	if len(all) != 1 {
		return nil, fmt.Errorf("%d connections to targets, want 1", len(all))
	}
	return all[0], nil
}

func TestNoRequestIsPutOnAConnectionThatIsOver(t *testing.T) {
	var goAway bytes.Buffer
	if err := http2.NewFramer(&goAway, nil).WriteGoAway(1<<31-1, http2.ErrCodeNo, nil); err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]func(*trunk) error{
		"the target sends no more": func(c *trunk) error { c.ended = true; return nil },
		"a write has failed":       func(c *trunk) error { c.failed = unix.EPIPE; return nil },
		"the target goes away":     func(c *trunk) error { _, err := c.conn.Feed(c.l.now, goAway.Bytes()); return err },
	} {
		e, addr := startLoops(t, Options{Handler: newOver2(target2(t, func(http.ResponseWriter, *http.Request) {}, nil))})
		if status, _ := ask(t, "http://"+addr); status != 200 {
			t.Fatalf("got %d", status)
		}
		l := e.loops[0]
		err := l.ask(func() error {
			l.mostTrunks = 1
			c, err := onlyTrunk(l)
			if err != nil {
				return err
			}
			if err := end(c); err != nil {
				return err
			}
			r := l.newRun()
			r.x.Request.Method = http.MethodGet
			got, room, err := c.pool.trunkFor(r)
			if got == c {
				t.Errorf("%s: a request gets the connection all the same, at once: %v", name, room)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if status, _ := ask(t, "http://"+addr); status != 200 {
			t.Errorf("%s: got %d then", name, status)
		}
	}
}

// TestConnectionThatHasSomethingToSayIsHeardFirst, where no other may be made: it may be
// its end, and a POST that was written is not sent again.
func TestConnectionThatHasSomethingToSayIsHeardFirst(t *testing.T) {
	leave := make(chan struct{})
	up := frames2(t, func(n int, fr *http2.Framer, c net.Conn) {
		_ = fr.WriteSettings()
		for {
			f, err := fr.ReadFrame()
			if err != nil {
				return
			}
			if f, ok := f.(*http2.HeadersFrame); ok {
				_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: f.StreamID, BlockFragment: []byte{0x88}, EndHeaders: true, EndStream: true})
				if n == 0 {
					<-leave
					_ = c.(*net.TCPConn).CloseWrite()
					_, _ = io.Copy(io.Discard, c)
					return
				}
			}
		}
	})
	h := newOver2(up)
	e, addr := startLoops(t, Options{Handler: h})
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	answers := bufio.NewReader(c)
	send := func(method string) {
		if _, err := fmt.Fprintf(c, "%s / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", method); err != nil {
			t.Error(err)
		}
	}
	status := func() int {
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode
	}
	send(http.MethodGet)
	if got := status(); got != 200 {
		t.Fatalf("got %d", got)
	}
	l := e.loops[0]
	err = l.ask(func() error { // the loop stands still, and the client comes first
		l.mostTrunks = 1
		to, err := onlyTrunk(l)
		if err != nil {
			return err
		}
		close(leave)
		send(http.MethodPost)
		for from := range l.clients {
			for deadline := time.Now().Add(20 * time.Second); ; {
				_, ended := peek(to.fd)
				_, came := peek(from.fd)
				if ended == 0 && came == 0 {
					break
				}
				if time.Now().After(deadline) {
					return fmt.Errorf("after 20 s: of the target %w, of the client %w", ended, came)
				}
				pause(t)
			}
			from.readable = true
			l.guard(&from.sock, (*sock).turn)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := status(); got != 200 {
		t.Errorf("the POST is answered %d, failures %+v", got, h.failed())
	}
}

// TestRequestsThatWaitGetNoConnectionThatIsOver, when it has a stream for them.
func TestRequestsThatWaitGetNoConnectionThatIsOver(t *testing.T) {
	held, answer, leave := make(chan struct{}), make(chan struct{}), make(chan struct{})
	up := frames2(t, func(n int, fr *http2.Framer, c net.Conn) {
		_ = fr.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 1})
		if n == 0 {
			go func() { <-leave; c.Close() }()
		}
		for asked := 0; ; {
			f, err := fr.ReadFrame()
			if err != nil {
				return
			}
			f2, ok := f.(*http2.HeadersFrame)
			if !ok {
				continue
			}
			if asked++; n == 0 && asked == 2 {
				close(held)
				<-answer
			} else if n == 0 && asked > 2 {
				return // in the midst of it
			}
			_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: f2.StreamID, BlockFragment: []byte{0x88}, EndHeaders: true, EndStream: true})
		}
	})
	h := newOver2(up)
	e, addr := startLoops(t, Options{Handler: h})
	if status, _ := ask(t, "http://"+addr); status != 200 {
		t.Fatalf("got %d", status)
	}
	first, waits := make(chan int, 1), make(chan int, 1)
	send := func(method string, to chan int) {
		req, _ := http.NewRequest(method, "http://"+addr, nil)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Error(err)
			to <- 0
			return
		}
		_ = resp.Body.Close()
		to <- resp.StatusCode
	}
	e.loops[0].mail.post(func() { e.loops[0].mostTrunks = 1 })
	go send(http.MethodGet, first)
	<-held
	go send(http.MethodPost, waits)
	onLoop(t, e, "a request waits for the stream of another", func(l *loop) bool {
		c, err := onlyTrunk(l)
		if err != nil || c.pool.queued != 1 {
			return false
		}
		c.ended = true // what it has sent before is still to be read
		return true
	})
	close(answer)
	if got := <-first; got != 200 {
		t.Errorf("the request under way is answered %d", got)
	}
	close(leave)
	if got := <-waits; got != 200 {
		t.Errorf("the request that waited is answered %d, failures %+v", got, h.failed())
	}
}
