package h2

import (
	"context"
	"fmt"
	"strings"

	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
)

// An attack is a request that is malformed, or that looks like it. The zero rules: it
// must be refused and may not arrive whole.
type attack struct {
	name   string
	fields func(host string) []history.Field
	body   string                                 // in one frame behind the head; empty: the head is all
	accept bool                                   // nothing is wrong with it: it must arrive and be answered
	also   func(host string, r raw.Request) error // what else must hold of it then
}

// strict runs attacks one after another, each over a connection of its own, and judges
// each by what arrived at the backend.
func strict(attacks ...attack) func(context.Context, *spec.T) {
	return func(ctx context.Context, t *spec.T) {
		b := place(ctx, t, nil)
		for _, a := range attacks {
			t.Step("%s", a.name)
			a.try(ctx, t, b)
		}
	}
}

func (a attack) try(ctx context.Context, t *spec.T, b *raw.Backend) {
	c := dial(ctx, t, framed.Options{})
	s := c.Send(a.fields(t.Host()), a.body == "")
	if a.body != "" {
		_ = s.Frame([]byte(a.body), true) // a gateway that has refused it already need not read it
	}
	r := s.Answer(ctx)
	if !c.Ended() {
		next := c.Send(get(t, after), true).Answer(ctx)
		t.Check(next.Served() && string(next.Body) == after || c.Ended(), "%s: %s: GET %s behind it: got %s, want its own answer or the end of the connection (op %s)",
			gateway(t).Ref, a.name, after, next, next.Op.ID)
	}
	_ = c.Close() // nothing more is expected of it
	fences(ctx, t, a.name)
	seen := b.Take()
	t.Logf("got %s; %s; the backend saw %s", r, c, described(seen))
	if err := a.judge(t.Host(), r, seen); err != nil {
		t.Check(false, "%s: %s: %v; the client got %s, the backend saw %s (op %s)", gateway(t).Ref, a.name, err, r, described(seen), r.Op.ID)
	}
	correct(t, c)
}

// judge says what is wrong; nil: nothing.
func (a attack) judge(host string, r framed.Result, seen raw.Seen) error {
	var arrived []raw.Request
	for _, q := range append(seen.Requests, seen.Begun...) {
		switch pathOf(q) {
		case attacked, after, fence:
		default:
			return fmt.Errorf("something else got through")
		}
	}
	for _, q := range seen.Requests {
		if pathOf(q) == attacked {
			arrived = append(arrived, q)
		}
	}
	switch {
	case len(seen.Doubts) > 0:
		return fmt.Errorf("what arrived at the backend is not one clear request")
	case len(arrived) > 1:
		return fmt.Errorf("it arrived %d times", len(arrived))
	case !a.accept && len(arrived) == 1:
		return fmt.Errorf("it was passed on and must be refused")
	case !a.accept && !r.Refused():
		return fmt.Errorf("it must be refused")
	case !a.accept:
		return nil
	case len(arrived) == 0 || !r.Served():
		return fmt.Errorf("nothing is wrong with it, and it was not answered by the backend")
	case string(arrived[0].Body) != a.body:
		return fmt.Errorf("it arrived with another body, want %q", a.body)
	case a.also != nil:
		return a.also(host, arrived[0])
	}
	return nil
}

func pathOf(r raw.Request) string {
	path, _, _ := strings.Cut(r.Target, "?")
	return path
}

func described(s raw.Seen) string {
	var out []string
	for _, r := range s.Requests {
		if p := pathOf(r); p != fence && p != after {
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

// plain is a good request with more fields behind.
func plain(more ...history.Field) func(string) []history.Field {
	return func(host string) []history.Field { return framed.Head("GET", host, attacked, more...) }
}

// posted is one with a body.
func posted(more ...history.Field) func(string) []history.Field {
	return func(host string) []history.Field { return framed.Head("POST", host, attacked, more...) }
}

// listed is exactly these fields; "{host}" in a value stands for the host.
func listed(fields ...history.Field) func(string) []history.Field {
	return func(host string) []history.Field {
		out := []history.Field{}
		for _, f := range fields {
			out = append(out, framed.F(f.Name, strings.ReplaceAll(f.Value, "{host}", host)))
		}
		return out
	}
}

// with is a good request in which the value of one pseudo field is another.
func with(name, value string) func(string) []history.Field {
	return func(host string) []history.Field {
		fields := framed.Head("GET", host, attacked)
		for i := range fields {
			if fields[i].Name == name {
				fields[i].Value = strings.ReplaceAll(value, "{host}", host)
			}
		}
		return fields
	}
}
