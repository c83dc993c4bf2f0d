package fault

import "time"

// DefaultDrip is the time between the bytes of a dripping answer.
const DefaultDrip = 100 * time.Millisecond

// How long the proof of a misbehaviour takes at most.
const (
	proofWait  = 5 * time.Second        // for answers that come
	proofQuiet = 300 * time.Millisecond // for answers that must not come
)

// patience is how long a client must wait to see the deed.
func (m Misbehaviour) patience() time.Duration {
	switch m.Do {
	case Hang, Drip:
		return proofQuiet
	case Slow:
		// A long delay is proven by its beginning.
		if m.Delay > proofQuiet {
			return proofQuiet
		}
	}
	return proofWait
}

// shows says whether the answer has the mark of the deed.
func (m Misbehaviour) shows(a Answer) bool {
	switch m.Do {
	case Slow:
		if m.Delay > proofQuiet {
			return a.Wrong == Silence && a.Status == 0
		}
		return a.Status != 0 && a.After >= m.Delay
	case Hang:
		return a.Wrong == Silence && a.Status == 0
	case WrongStatus:
		return a.Status == m.Status
	case ResetHead:
		return a.Wrong == Reset && a.Status == 0
	case ResetBody:
		return a.Wrong == Reset && a.Status != 0
	case Garbage:
		return a.Wrong == Malformed
	case WrongLength:
		return a.Wrong == Short
	case Drip:
		return a.Status != 0 && (a.Wrong == Silence || a.Took >= m.Delay)
	case Sick:
		return a.Status == DefaultStatus
	default:
		return false
	}
}
