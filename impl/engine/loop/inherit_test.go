package loop

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// greeter is a handler that answers by itself.
type greeter struct{ plain }

func (*greeter) OnRequest(x *exchange.Exchange) exchange.Verdict {
	return x.RespondBytes(200, "", nil)
}

func TestSocketsAreInheritedWhateverTheNumberOfLoops(t *testing.T) {
	for _, loops := range [][2]int{{1, 1}, {3, 1}, {1, 3}} {
		t.Run(fmt.Sprint(loops), func(t *testing.T) { inherit(t, loops[0], loops[1]) })
	}
}

// inherit leaves the sockets of an engine with so many loops to one with others.
func inherit(t *testing.T, before, after int) {
	engine := func(loops int) *Engine {
		e, err := New(Options{Handler: &greeter{}, Loops: loops})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = e.Shutdown(t.Context()) })
		return e
	}
	old, heir := engine(before), engine(after)
	first, err := old.Listen(t.Context(), "127.0.0.1:0", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = old.Serve(first) }()
	addr := first.Addr().String()
	ask := func() error {
		c := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := c.Get("http://" + addr)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	fds, err := first.Sockets()
	if err != nil || len(fds) != before {
		t.Fatalf("sockets %v, %v, want %d", fds, err, before)
	}
	second, err := heir.Listen(t.Context(), addr, fds, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	const askers = 20
	asked := make(chan error, askers)
	for range askers { // they wait in the queues of sockets from which nobody accepts
		go func() { asked <- ask() }()
	}
	// Those are not the old engine's any more, however much there is to accept.
	batches := func() (n uint64) {
		for _, l := range old.loops {
			_ = l.ask(func() error { n += l.batch; return nil })
		}
		return n
	}
	from := batches()
	<-time.After(100 * time.Millisecond)
	if n := batches() - from; n > 1000 {
		t.Errorf("the old engine woke up %d times in 100 ms", n)
	}
	go func() { _ = heir.Serve(second) }()
	for range askers {
		if err := <-asked; err != nil {
			t.Error(err)
		}
	}
	if _, accepted, _ := heir.Connections(); accepted != askers {
		t.Errorf("the heir accepted %d connections, want %d", accepted, askers)
	}
	if got, err := second.Sockets(); err != nil || len(got) != max(before, after) {
		t.Errorf("sockets of the heir %v, %v, want %d", got, err, max(before, after))
	} else {
		for _, fd := range got {
			closeFD(fd)
		}
	}
}

func TestWhatDoesNotListenIsNotInherited(t *testing.T) {
	e, err := New(Options{Handler: &greeter{}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Shutdown(t.Context()) }()
	m, err := newMailbox()
	if err != nil {
		t.Fatal(err)
	}
	if ln, err := e.Listen(t.Context(), "127.0.0.1:0", []int{m.fd}, nil); err == nil {
		t.Errorf("listens on %s by an eventfd", ln.Addr())
	}
}
