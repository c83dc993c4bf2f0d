package wire

import (
	"fmt"
	"time"

	"github.com/unilb/unilb/topology"
)

// Bounds of an impairment, those of the topology file.
const (
	maxDelay     = 10 * time.Second
	maxBy        = time.Minute
	maxRate      = 100_000_000_000 // bits a second
	maxIPPacket  = 65535
	maxPositions = 64
)

// Check says what is wrong with an impairment.
func Check(i topology.Impairment) error {
	if err := checkRanges(i); err != nil {
		return err
	}
	_, err := newPlaces(i.At)
	return err
}

func checkRanges(i topology.Impairment) error {
	for _, t := range []struct {
		name string
		d    time.Duration
	}{{"delay", i.Delay}, {"jitter", i.Jitter}} {
		if t.d < 0 || t.d > maxDelay {
			return fmt.Errorf("%s %v is outside 0 to %v", t.name, t.d, maxDelay)
		}
	}
	for _, s := range []struct {
		name  string
		share float64
	}{{"loss", i.Loss}, {"duplicate", i.Duplicate}, {"corrupt", i.Corrupt}, {"reorder", i.Reorder}} {
		if !(s.share >= 0 && s.share <= 1) { // so that NaN is refused
			return fmt.Errorf("%s %v is outside 0 to 1", s.name, s.share)
		}
	}
	switch {
	case i.Rate < 0 || i.Rate > maxRate:
		return fmt.Errorf("rate %d is outside 0 to %d bits a second", i.Rate, int64(maxRate))
	case i.MaxPacket < 0 || i.MaxPacket > maxIPPacket:
		return fmt.Errorf("max-packet %d is outside 0 to %d", i.MaxPacket, maxIPPacket)
	case i.Reorder > 0 && i.Delay == 0 && i.Jitter == 0:
		return fmt.Errorf("reorder %v without a delay: there is nothing to overtake", i.Reorder)
	case len(i.At) > maxPositions:
		return fmt.Errorf("%d positions, at most %d", len(i.At), maxPositions)
	}
	return nil
}
