package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/unilb/unilb/topology"
)

// A fakeLink joins two nodes, one of which may be a router that is no machine.
type fakeLink struct {
	ports [2]*fakePort
	wire  bool
	does  map[Direction]topology.Impairment
	numb  bool // it takes an impairment and does not do it
}

type fakePort struct {
	ref      topology.Ref
	up       bool
	rate     int64
	other    *fakePort
	stubborn bool // takes every setting and keeps none
	lacks    error
}

// fakeLinks are one of the kernel and one wire.
func fakeLinks() []*fakeLink {
	join := func(a, b topology.Ref, wire bool) *fakeLink {
		l := &fakeLink{ports: [2]*fakePort{{ref: a, up: true}, {ref: b, up: true}}, wire: wire, does: map[Direction]topology.Impairment{}}
		l.ports[0].other, l.ports[1].other = l.ports[1], l.ports[0]
		return l
	}
	l := []*fakeLink{join("bj/az1/l7-1", "bj/az1/router", false), join("bj/az1/router", "bj/az2/router", true)}
	l[1].does[AToB] = topology.Impairment{Delay: time.Millisecond}
	l[1].does[BToA] = topology.Impairment{Delay: 2 * time.Millisecond, Rate: 1e9}
	return l
}

func (w *world) Links(s topology.LinkSelector) []Link {
	var out []Link
	for _, l := range w.links {
		if s.Match(l.ports[0].ref, l.ports[1].ref) {
			out = append(out, l)
		}
	}
	return out
}

func (l *fakeLink) Name() string      { return fmt.Sprintf("%s--%s", l.ports[0].ref, l.ports[1].ref) }
func (l *fakeLink) Ends() (a, b Port) { return l.ports[0], l.ports[1] }
func (l *fakeLink) same(o *fakeLink) bool {
	for i, p := range l.ports {
		if q := o.ports[i]; p.up != q.up || p.rate != q.rate {
			return false
		}
	}
	return sameImpairment(l.does[AToB], o.does[AToB]) && sameImpairment(l.does[BToA], o.does[BToA])
}

func (l *fakeLink) Cable() Cable {
	if !l.wire {
		return nil
	}
	return fakeCable{l}
}

type fakeCable struct{ l *fakeLink }

func (c fakeCable) Impairment(d Direction) topology.Impairment { return c.l.does[d] }
func (c fakeCable) CheckImpairment(i topology.Impairment) error {
	if i.Loss > 1 {
		return fmt.Errorf("loss %v: want 0 to 1", i.Loss)
	}
	return nil
}
func (c fakeCable) Impair(d Direction, i topology.Impairment) error {
	if !c.l.numb {
		c.l.does[d] = i
	}
	return nil
}

func (p *fakePort) Ref() topology.Ref { return p.ref }
func (p *fakePort) Interface() string { return "if-" + string(p.other.ref) }
func (p *fakePort) SetUp(up bool) error {
	if !p.stubborn {
		p.up = up
	}
	return nil
}
func (p *fakePort) State() (up, carrier bool, err error) { return p.up, p.up && p.other.up, nil }
func (p *fakePort) CanLimit() error                      { return p.lacks }
func (p *fakePort) Rate() (int64, error)                 { return p.rate, nil }
func (p *fakePort) SetRate(bits int64) error {
	if !p.stubborn {
		p.rate = bits
	}
	return nil
}

func (m *fake) Interfaces() []string { return []string{"if-bj/az1/router"} }
func (m *fake) Misbehaving() (Misbehaviour, bool) {
	return m.told, true
}
func (m *fake) Misbehave(to Misbehaviour) error {
	return m.did("misbehave", func() { m.told = to })
}

// TryBackend answers as a backend does that was told so; a deaf one behaves.
func (m *fake) TryBackend(_ context.Context, patience time.Duration) Answer {
	good := Answer{Status: 200}
	if m.deaf {
		return good
	}
	switch m.told.Do {
	case Slow, Hang:
		return Answer{Wrong: Silence, After: patience}
	case Drip:
		return Answer{Status: 200, Wrong: Silence, Took: patience}
	case WrongStatus:
		return Answer{Status: m.told.Status}
	case ResetHead:
		return Answer{Wrong: Reset}
	case ResetBody:
		return Answer{Status: 200, Wrong: Reset}
	case Garbage:
		return Answer{Wrong: Malformed}
	case WrongLength:
		return Answer{Status: 200, Wrong: Short}
	case Sick:
		return Answer{Status: 503}
	default:
		return good
	}
}
