package history

import "github.com/unilb/unilb/topology"

// maxShared bounds the texts that shared keeps.
const maxShared = 1 << 16

// shared keeps one copy of texts that many records have: millions of operations
// come from few clients and go to few targets.
type shared map[string]string

func newStrings() *shared { return &shared{} }

func (s *shared) text(t *string) {
	if *t == "" {
		return
	}
	if known, ok := (*s)[*t]; ok {
		*t = known
		return
	}
	if len(*s) < maxShared {
		(*s)[*t] = *t
	}
}

func (s *shared) ref(r *topology.Ref) { s.text((*string)(r)) }

func (r *Request) share(s *shared) {
	s.text(&r.Method)
	s.text(&r.Target)
	s.text(&r.Proto)
	s.text(&r.Host)
	s.text(&r.BodySum)
}

func (o *Op) share(s *shared) {
	s.text(&o.Stream)
	s.ref(&o.Client)
	s.text(&o.Kind)
	s.text(&o.To)
	o.Request.share(s)
	if o.Response != nil {
		s.ref(&o.Response.Backend)
		s.text(&o.Response.BodySum)
	}
	s.text((*string)(&o.Outcome))
	s.text((*string)(&o.Class))
}

func (a *Arrival) share(s *shared) {
	s.ref(&a.Backend)
	a.Seen.share(s)
	if a.Answer != nil {
		s.text(&a.Answer.BodySum)
	}
}
