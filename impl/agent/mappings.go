package agent

import (
	"errors"
	"log/slog"
	"net/netip"

	"github.com/unilb/unilb/impl/fnat"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/vpc"
)

// table is the part of FNAT that the agent may change. Each call is idempotent.
type table interface {
	Put(vpc.Mapping) error
	Delete(netip.Addr) error
	Prune([]vpc.Mapping) (fnat.Diff, error)
}

// mappings keeps the mappings of a gateway in FNAT.
type mappings struct {
	t   table
	rep reporter
	log *slog.Logger
	all mirror[vpc.Mapping]
	// waiting holds keys of mappings whose guest has another unique IP; they
	// are refused until that one goes.
	waiting  map[string]bool
	programs attach
}

func newMappings(t table, rep reporter, log *slog.Logger, programs attach) *mappings {
	return &mappings{
		t: t, rep: rep, log: log, programs: programs, waiting: make(map[string]bool),
		all: mirror[vpc.Mapping]{parse: parseKeyed(vpc.ParseMapping), mine: under(vpc.MappingPrefix)},
	}
}

func (m *mappings) apply(b store.Batch) error {
	s, old := m.all.take(b, m.rep)
	switch {
	case s.empty() && !b.Reset:
		return nil
	case b.Reset || len(m.waiting) > 0:
		_, err := m.prune()
		return err
	}
	for _, key := range s.gone {
		if err := m.t.Delete(old[key].UniqueIP); err != nil {
			return err
		}
	}
	for _, key := range s.put {
		var taken *fnat.TakenError
		err := m.t.Put(m.all.objects[key])
		if errors.As(err, &taken) {
			// Perhaps by one that this batch moves elsewhere: only all of
			// them together can tell.
			_, err := m.prune()
			return err
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (m *mappings) audit() error {
	diff, err := m.prune()
	if err == nil {
		logDrift(m.log, "mappings", diff)
	}
	return err
}

// prune makes FNAT hold exactly what is wanted. Of several mappings of one guest
// the one with the lowest key holds, so that all gateways agree.
func (m *mappings) prune() (fnat.Diff, error) {
	type guest struct {
		vni uint32
		ip  netip.Addr
	}
	holders := make(map[guest]netip.Addr, len(m.all.objects))
	var want []vpc.Mapping
	waiting := make(map[string]bool)
	for _, key := range m.all.keys() {
		o := m.all.objects[key]
		g := guest{o.VNI, o.VPCIP}
		if by, taken := holders[g]; taken {
			waiting[key] = true
			m.rep.Refuse(key, &fnat.TakenError{Unique: o.UniqueIP, By: by, VNI: o.VNI, VPCIP: o.VPCIP})
			continue
		}
		if m.waiting[key] {
			m.rep.Accept(key)
		}
		holders[g] = o.UniqueIP
		want = append(want, o)
	}
	m.waiting = waiting
	diff, err := m.t.Prune(want)
	if err != nil {
		return diff, err
	}
	return diff, m.programs.once()
}
