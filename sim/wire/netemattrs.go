package wire

import (
	"errors"
	"fmt"
	"time"

	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/topology"
)

// ErrBeyondNetem is wrapped by the error for what a wire over netem cannot do.
var ErrBeyondNetem = errors.New("netem cannot do it, a TAP wire can")

// netemLimit is the most frames under way in one direction of a wire over netem.
const netemLimit = 10000

// netemOf says an impairment in the words of netem.
func netemOf(i topology.Impairment) (link.Netem, error) {
	if err := Check(i); err != nil {
		return link.Netem{}, err
	}
	switch {
	case len(i.At) > 0:
		return link.Netem{}, fmt.Errorf("deeds at positions: %w", ErrBeyondNetem)
	case i.MaxPacket > 0:
		return link.Netem{}, fmt.Errorf("max-packet: %w", ErrBeyondNetem)
	}
	n := link.Netem{
		Delay: i.Delay, Jitter: i.Jitter, Loss: i.Loss, Duplicate: i.Duplicate, Corrupt: i.Corrupt,
		Reorder: i.Reorder, Rate: i.Rate, Limit: netemLimit,
	}
	if n.Jitter > 0 {
		n.Delay = max(n.Delay, time.Microsecond) // netem has no jitter without a delay
		if n.Rate == 0 {
			// Jitter reorders in netem unless there is a rate: with one a frame
			// waits for the one before it. Any rate that nobody reaches does.
			n.Rate = maxRate
		}
	}
	return n, nil
}
