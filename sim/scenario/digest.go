package scenario

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/unilb/unilb/sim/bundle"
	"github.com/unilb/unilb/sim/fault"
)

// digested is how many requests of each load its digest covers.
const digested = 10_000

// Digests are equal for equal seeds: what is built, what is done to it and when,
// and what is sent and when.
func (s *Scenario) Digests() (bundle.Digests, error) {
	traffic := sha256.New()
	for _, l := range s.File.Traffic {
		load, from := s.load(l), s.Plan.Select(l.From)
		fmt.Fprintf(traffic, "%+v %s", l, load.Digest(len(from), digested))
		for _, n := range from {
			fmt.Fprintf(traffic, " %s", n.Ref)
		}
		fmt.Fprintln(traffic)
	}
	// These hold pointers and unions: JSON writes what they point to.
	what := []any{s.File.Objects, s.File.Steps}
	if plans := s.havocs(); plans != nil {
		what = append(what, plans)
	}
	done, err := json.Marshal(what)
	if err != nil {
		return bundle.Digests{}, fmt.Errorf("digest of the steps: %w", err)
	}
	faults := sha256.Sum256(done)
	return bundle.Digests{Plan: s.Plan.Digest(), Faults: hex.EncodeToString(faults[:]), Traffic: hex.EncodeToString(traffic.Sum(nil))}, nil
}

// MarshalJSON writes the fault that was written.
func (f *Fault) MarshalJSON() ([]byte, error) {
	if f.value == nil {
		return []byte("null"), nil
	}
	return fault.Encode(f.Fault())
}
