package protocol

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/http1"
)

// An oddAnswer is what a backend says that does not keep to the rules. The zero
// rules: the client must not get it as a whole answer.
type oddAnswer struct {
	name   string
	bytes  string // "{marks}" stands for the lines by which the client knows whose answer it is
	close  bool   // the backend ends the connection behind it
	body   string // with which the client may get it; empty: not at all
	accept bool   // nothing is wrong with it: an error in its place is none of the client's
	also   func(*raw.Reply) error
}

// answered has a backend give odd answers, and judges each by what the client got,
// by what it gets next, and by what others get.
func answered(ctx context.Context, t *spec.T, answers ...oddAnswer) {
	b := raw.Play(t, 0, nil)
	gw := t.Env().Gateways()[0]
	for _, a := range answers {
		t.Step("%s", a.name)
		b.Become(func(b *raw.Backend, r raw.Request) raw.Answer {
			if r.Target != attacked {
				return b.Echo(r)
			}
			marks := strings.TrimSuffix(strings.TrimPrefix(b.Head(r, 200), "HTTP/1.1 200 OK\r\n"), "\r\n")
			return raw.Answer{Bytes: strings.ReplaceAll(a.bytes, "{marks}", marks), Close: a.close}
		})
		c := raw.Dial(ctx, t, gw.Data)
		r := c.Do(ctx, get(t.Host(), attacked, ""))
		t.Logf("the backend said %.300q, the client got %s", a.bytes, r)
		if err := a.judge(r); err != nil {
			t.Check(false, "%s: %s: %v; got %s (op %s)", gw.Ref, a.name, err, r, r.Op.ID)
		}
		if r.Reply != nil && !r.Reply.Close {
			next := c.Do(ctx, get(t.Host(), after, ""))
			t.Check(next.Mine() || next.Ended(), "%s: %s: the next request of the same client: got %s, want its own answer (op %s)", gw.Ref, a.name, next, next.Op.ID)
		}
		_ = c.Close() // the client has seen enough
		fences(ctx, t, t.Host())
	}
}

func (a oddAnswer) judge(r raw.Result) error {
	switch {
	case errors.Is(r.Err, http1.ErrMalformed):
		return errors.New("the client got something that cannot be read in one way")
	case r.Reply == nil && !r.Ended():
		return errors.New("the client waits for ever")
	case a.accept && !r.Mine():
		return errors.New("nothing is wrong with the answer, and the client did not get it")
	case r.Reply == nil: // cut: the client knows that it was not all
		return nil
	case !r.Reply.FromBackend() && r.Reply.Status >= 500:
		return nil
	case a.body == "":
		return errors.New("the client must not get it as a whole answer")
	case !r.Mine() || string(r.Reply.Body) != a.body:
		return fmt.Errorf("the client got the body %q, want %q", r.Reply.Body, a.body)
	case a.also != nil:
		return a.also(r.Reply)
	}
	return nil
}

// cleanFields: no value holds what some readers take for the end of a line, and
// nothing appears that the backend did not send as a field.
func cleanFields(r *raw.Reply) error {
	for _, f := range r.Header {
		if strings.ContainsAny(f.Value, "\r\n\x00") || strings.EqualFold(f.Name, "X-Smuggled") {
			return fmt.Errorf("the client got the field %q: %q", f.Name, f.Value)
		}
	}
	return nil
}

// ownAnswers has several clients send requests one after another, and checks that
// each gets its own answers or errors, never those of others.
func ownAnswers(ctx context.Context, t *spec.T, clients, requests int) {
	gw := t.Env().Gateways()[0]
	mine, wrong := 0, []string{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	var conns []*raw.Conn
	for range clients * requests {
		conns = append(conns, raw.Dial(ctx, t, gw.Data))
	}
	for k := range clients {
		wg.Go(func() {
			for i := range requests {
				c := conns[k*requests+i]
				r := c.Do(ctx, get(t.Host(), fmt.Sprintf("/%d-%d", k, i), "Connection: close\r\n"))
				mu.Lock()
				switch {
				case r.Mine():
					mine++
				case r.Reply != nil && r.Reply.FromBackend(), r.Reply == nil && !r.Ended():
					wrong = append(wrong, fmt.Sprintf("op %s got %s", r.Op.ID, r))
				}
				mu.Unlock()
				_ = c.Close() // one request each
			}
		})
	}
	wg.Wait()
	t.Logf("%d of %d clients got their own answer", mine, clients*requests)
	t.Check(len(wrong) == 0, "%s: %d of %d clients got the answer to another request, or none: %s", gw.Ref, len(wrong), clients*requests, strings.Join(wrong[:min(3, len(wrong))], "; "))
	t.Check(mine > 0, "%s: nobody of %d got his own answer", gw.Ref, clients*requests)
}

// soon is closed after a while: long enough for others to overtake.
func soon(d time.Duration) <-chan struct{} {
	ch := make(chan struct{})
	time.AfterFunc(d, func() { close(ch) })
	return ch
}
