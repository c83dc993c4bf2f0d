package loop

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/engine/enginetest"
	"github.com/unilb/unilb/impl/exchange"
)

// weighing asks for bodies, and tells how much is held of one when it is answered.
type weighing struct {
	plain
	l     *loop
	limit int
	held  chan int // bytes
}

func (w *weighing) OnRequest(x *exchange.Exchange) exchange.Verdict {
	if x.Request.Body.State == exchange.BodyUnread {
		return x.Collect(w.limit, nil)
	}
	return w.plain.OnRequest(x)
}

func (w *weighing) OnResponse(x *exchange.Exchange) exchange.Verdict {
	for c := range w.l.clients {
		if c.run != nil && &c.run.x == x {
			w.held <- cap(c.run.kept)
		}
	}
	return w.plain.OnResponse(x)
}

// TestLargeBodiesAreHeldNoLongerThanTheyAreOfUse: of one that is too long nothing when
// more of it has gone to the target, and of none anything behind its exchange, although
// runs are used again.
func TestLargeBodiesAreHeldNoLongerThanTheyAreOfUse(t *testing.T) {
	const size, most = 4 * exchange.DefaultReplayLimit, exchange.DefaultReplayLimit
	target := enginetest.Backend(t, func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, err)
	})
	h := &weighing{plain: plain{&exchange.Target{Name: target, Pool: exchange.Pool{Address: target, IdleConns: 8, IdleTimeout: time.Minute}}}, limit: size, held: make(chan int, 8)}
	e, addr := startLoops(t, Options{Handler: h})
	l := e.loops[0]
	l.mail.post(func() { h.l = l })
	for _, length := range []int{size, 4 * size} {
		resp, err := http.Post("http://"+addr, "", strings.NewReader(strings.Repeat("x", length)))
		if got, want := whole(t, resp, err), fmt.Sprint(length, nil); got != want {
			t.Fatalf("the target got %s, want %s", got, want)
		}
		if n := <-h.held; (n > most) != (length == size) {
			t.Errorf("%d bytes: %d are held when the answer comes", length, n)
		}
		behind := make(chan int)
		l.mail.post(func() {
			n := 0
			for _, r := range l.runs {
				n = max(n, cap(r.kept))
			}
			behind <- n
		})
		if n := <-behind; n > most {
			t.Errorf("%d bytes: %d are held behind the exchange", length, n)
		}
	}
}
