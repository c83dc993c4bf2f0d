package protocol

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Targets of the requests of an attack.
const (
	attacked = "/attack"   // the request that the client means to send
	smuggled = "/smuggled" // hidden in it: nobody may see it
	after    = "/after"    // on the same connection, when the first was answered
	fence    = "/fence"    // on others, when all is over
)

// An attack is a request of which two readers may see different ones, and what a
// gateway may make of it. The zero rules are the strictest: it must be refused
// and the connection must end.
type attack struct {
	name string
	text func(host string) string

	// bodies are those with which one request may arrive at the backend instead
	// ("{hidden}" stands for the hidden request); none: it must be refused.
	bodies []string
	accept bool                                   // nothing is wrong with it: it must be passed on
	also   func(host string, r raw.Request) error // what else must hold of it
	status []int                                  // of a refusal that is said; any from 400 on when empty
	keeps  bool                                   // a refusal may keep the connection: it is clear where the request ends
	cut    bool                                   // the client ends its side after it
	ends   bool                                   // the connection must end also when the request was passed on
}

// strict runs attacks one after another, each over a connection of its own, and
// judges each by what arrived at the backend.
func strict(attacks ...attack) func(context.Context, *spec.T) {
	return func(ctx context.Context, t *spec.T) {
		b := raw.Play(t, 0, nil)
		for _, a := range attacks {
			t.Step("%s", a.name)
			a.try(ctx, t, b)
		}
	}
}

// An ending is what became of the client's connection.
type ending struct {
	first  raw.Result
	next   []raw.Result // answers that came after the first
	ended  bool
	silent bool
}

func (a attack) try(ctx context.Context, t *spec.T, b *raw.Backend) {
	host := t.Host()
	gw := t.Env().Gateways()[0]
	text := a.text(host)
	c := raw.Dial(ctx, t, gw.Data)
	e := a.send(ctx, c, text, host)
	_ = c.Close() // whatever it waits for does not come
	fences(ctx, t, host)
	seen := b.Take()
	t.Logf("sent %.600q", text)
	t.Logf("got %s", e)
	t.Logf("the backend saw %s", describe(seen))
	if why := a.judge(e, seen, host); why != "" {
		t.Check(false, "%s: %s: %s; the client got %s, the backend saw %s (op %s)", gw.Ref, a.name, why, e, describe(seen), e.first.Op.ID)
	}
}

// send sends the attack and, when the connection goes on, one request more: its
// answer comes after all that the gateway made of the attack.
func (a attack) send(ctx context.Context, c *raw.Conn, text, host string) ending {
	sent := c.Send(text)
	if a.cut {
		_ = c.CloseWrite() // fails only when the gateway has closed already
	}
	e := ending{first: c.Reply(ctx, sent)}
	if e.first.Reply == nil {
		e.ended = e.first.Ended()
		e.silent = !e.ended
		return e
	}
	if e.first.Reply.Close {
		_, e.ended = c.Ends(ctx)
		return e
	}
	s := c.Send(get(host, after, ""))
	r := c.Reply(ctx, s)
	for e.next = append(e.next, r); r.Reply != nil && !r.Mine() && len(e.next) < 4; e.next = append(e.next, r) {
		r = c.Next(ctx, s) // its answer is still to come
	}
	e.ended = r.Ended()
	return e
}

// fences shows that the gateway lives on, and that no connection to the backend
// is out of step: two clients of good faith get their own answers.
func fences(ctx context.Context, t *spec.T, host string) {
	gw := t.Env().Gateways()[0]
	for range 2 {
		c := raw.Dial(ctx, t, gw.Data)
		r := c.Do(ctx, get(host, fence, "Connection: close\r\n"))
		t.Check(r.Mine() && r.Reply.Status == 200 && string(r.Reply.Body) == fence, "%s: another client's GET %s: got %s, want 200 from the backend (op %s)", gw.Ref, fence, r, r.Op.ID)
		_ = c.Close() // it was the last request
	}
}

// judge says what is wrong; empty: nothing.
func (a attack) judge(e ending, seen raw.Seen, host string) string {
	var arrived []raw.Request
	later := 0
	for _, r := range seen.Begun {
		if !slices.Contains([]string{attacked, after, fence}, pathOf(r)) {
			return "a second request began to get through"
		}
	}
	for _, r := range seen.Requests {
		switch pathOf(r) {
		case fence:
		case after:
			later++
		case attacked:
			arrived = append(arrived, r)
		default:
			return "a second request got through"
		}
	}
	switch {
	case len(seen.Doubts) > 0:
		return "what arrived at the backend is not one clear request"
	case len(arrived) > 1 || later > 1:
		return "one request arrived more than once"
	case len(arrived) == 1:
		return a.passed(e, arrived[0], host)
	}
	return a.refused(e)
}

func pathOf(r raw.Request) string {
	path, _, _ := strings.Cut(strings.TrimPrefix(r.Target, "http://"+r.Fields.Get("Host")), "?")
	return path
}

func (a attack) passed(e ending, r raw.Request, host string) string {
	known := func(body string) bool { return strings.ReplaceAll(body, "{hidden}", hidden(host)) == string(r.Body) }
	switch {
	case len(a.bodies) == 0:
		return "it was passed on and must be refused"
	case !slices.ContainsFunc(a.bodies, known):
		return fmt.Sprintf("it arrived with another body, want %q", a.bodies)
	case !e.first.Mine():
		return "it arrived, and the client got no answer to it"
	case a.ends && !e.ended:
		return "the connection must end after it and goes on"
	case !e.ended && !e.inStep():
		return "what follows on the connection is out of step"
	}
	if a.also != nil {
		if err := a.also(host, r); err != nil {
			return err.Error()
		}
	}
	return ""
}

func (a attack) refused(e ending) string {
	r := e.first.Reply
	switch {
	case a.accept:
		return "nothing is wrong with it, and it did not arrive"
	case e.silent:
		return "it is neither answered nor is the connection closed"
	case r == nil: // closed without a word
		return ""
	case r.Status < 400:
		return "it was answered as if it were well, and nothing arrived"
	case len(a.status) > 0 && !slices.Contains(a.status, r.Status):
		return fmt.Sprintf("a refusal must say %v", a.status)
	case e.ended:
		return ""
	case !a.keeps:
		return "it was refused, and the connection goes on"
	case !e.inStep():
		return "it was refused, and what follows on the connection is out of step"
	}
	return ""
}

// inStep says that the request after the attack got its own answer, the first
// that came.
func (e ending) inStep() bool {
	return len(e.next) == 1 && e.next[0].Mine() && string(e.next[0].Reply.Body) == after
}

func (e ending) String() string {
	said := []string{e.first.String()}
	for _, r := range e.next {
		said = append(said, r.String())
	}
	if e.ended && e.first.Reply != nil {
		said = append(said, "the end")
	}
	return strings.Join(said, ", then ")
}

func describe(s raw.Seen) string {
	var out []string
	for _, r := range s.Requests {
		if r.Target != fence {
			out = append(out, r.String())
		}
	}
	for _, r := range s.Begun {
		out = append(out, "the beginning of "+r.String())
	}
	for _, d := range s.Doubts {
		out = append(out, "in doubt: "+d)
	}
	if len(out) == 0 {
		return "nothing"
	}
	return strings.Join(out, ", ")
}
