package labenv

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
)

// A gateway that takes connections and answers nothing would let every case run into
// its limit. When no request of a few cases in a row got a response, those that follow
// get a short limit, until some request is answered again. Nothing is concluded from
// the silence: each case says for itself what it did not get.
const (
	muteAfter = 3
	muteLimit = 2 * time.Second
)

// muteness counts the cases that a gateway left without any response.
type muteness struct {
	inARow int
	cut    int // cases that failed within muteLimit in the place of their own limit
}

// limit is the longest that a case may take; 0: as long as it says.
func (m *muteness) limit() time.Duration {
	if m.inARow >= muteAfter {
		return muteLimit
	}
	return 0
}

// heard takes in what one case asked of those at the data addresses. A case that asked
// nothing says nothing.
func (m *muteness) heard(ops []history.Op, isData func(netip.AddrPort) bool) {
	asked := false
	for _, op := range ops {
		to, err := netip.ParseAddrPort(op.To)
		if err != nil || !isData(to) {
			continue
		}
		if op.Response != nil {
			m.inARow = 0
			return
		}
		asked = true
	}
	if asked {
		m.inARow++
	}
}

// warning says what was cut, for the row of the gateway's life.
func (m *muteness) warning() []string {
	if m.cut == 0 {
		return nil
	}
	return []string{fmt.Sprintf("mute: no request of %d cases in a row got a response, so %d cases that followed had %s each in the place of their own limit", muteAfter, m.cut, muteLimit)}
}

// note says in a result that its limit was not its own.
func (m *muteness) note(r *spec.Result) {
	m.cut++
	r.Says = append(r.Says, fmt.Sprintf("its limit was cut to %s, since no request of the %d cases before it got a response", muteLimit, m.inARow))
}

// isData says whether clients reach gateways under an address.
func (e *Env) isData(to netip.AddrPort) bool {
	return slices.ContainsFunc(e.Gateways(), func(g spec.Gateway) bool { return to == g.Data || to == g.TLS }) ||
		slices.ContainsFunc(e.EIPs(), func(x spec.EIP) bool { return to.Addr() == x.Address })
}
