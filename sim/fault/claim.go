package fault

import (
	"fmt"

	"github.com/unilb/unilb/topology"
)

// A Claimer is a fault whose Revert would undo what another fault does to the
// same thing, or could not undo its own. Claims names what it needs for itself
// while it is active; Inject refuses a second fault that claims any of it.
type Claimer interface {
	Claims(Target) []Claim
}

// A Claim names one thing that only one fault at a time may change.
type Claim string

// The things that are claimed.

// ProcessClaim is whether, and how, a process runs.
func ProcessClaim(ref topology.Ref, process string) Claim {
	return Claim(fmt.Sprintf("process %s on %s", process, ref))
}

// InterfaceClaim is whether an interface is up.
func InterfaceClaim(ref topology.Ref, ifname string) Claim {
	return Claim(fmt.Sprintf("interface %s of %s", ifname, ref))
}

// PowerClaim is the power of a machine.
func PowerClaim(ref topology.Ref) Claim { return Claim(fmt.Sprintf("the power of %s", ref)) }

// BackendClaim is how a machine's echo backend behaves.
func BackendClaim(ref topology.Ref) Claim { return Claim(fmt.Sprintf("the backend of %s", ref)) }

// DiskClaim is how a machine's disk behaves, and how much fits on it.
func DiskClaim(ref topology.Ref) Claim { return Claim(fmt.Sprintf("the disk of %s", ref)) }

// holder is the fault that has claimed something.
type holder struct{ id, text string }

// claim reserves what the fault needs, all of it or nothing. What it has already
// by the same id it keeps. The error is *Unavailable.
func (l *Ledger) claim(id string, f Fault, t Target) error {
	c, ok := f.(Claimer)
	if !ok {
		return nil
	}
	claims := c.Claims(t)
	l.claiming.Lock()
	defer l.claiming.Unlock()
	for _, c := range claims {
		if h, taken := l.claims[c]; taken && h.id != id {
			return unavailable(f, "in force already: %s (%s) holds %s; heal %s first", h.id, h.text, c, h.id)
		}
	}
	if l.claims == nil {
		l.claims = map[Claim]holder{}
	}
	for _, c := range claims {
		l.claims[c] = holder{id: id, text: f.String()}
	}
	return nil
}

// release gives back what was claimed by the id.
func (l *Ledger) release(id string) {
	l.claiming.Lock()
	defer l.claiming.Unlock()
	for c, h := range l.claims {
		if h.id == id {
			delete(l.claims, c)
		}
	}
}
