package traffic

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"iter"
	"math/rand/v2"
	"time"
)

// A Pace says how the requests of an open loop follow each other. The zero value
// is Constant.
type Pace string

// The paces. Poisson has the same rate on average and gaps as independent callers
// make them: bursts and silences, the same ones for the same seed.
const (
	Constant Pace = ""
	Poisson  Pace = "poisson"
)

// A Shot is what a stream sends as one of its requests.
type Shot struct {
	N      uint64        `json:"n"` // counts from 0
	Client int           `json:"client"`
	Pick   int           `json:"pick"`           // index in Load.Mix; -1: GET /, for a load without a mix
	Slow   time.Duration `json:"slow,omitempty"` // asked of the backend
	At     time.Duration `json:"at,omitempty"`   // since the stream began; 0 in a closed loop, which sends when it can
}

// Shot is the nth request of the load, from 0, sent from that many clients: a pure
// function of the load and these numbers. What a stream sends is this and nothing
// else. With Poisson its time grows with n: see Shots.
func (l Load) Shot(n uint64, clients int) Shot {
	s := l.pick(n, clients)
	switch {
	case l.Rate <= 0:
	case l.Pace == Poisson:
		for i := range n + 1 {
			s.At += l.gap(i)
		}
	default:
		s.At = time.Duration(float64(n) / l.Rate * float64(time.Second))
	}
	return s
}

// Shots are all shots of the load from the first one on.
func (l Load) Shots(clients int) iter.Seq[Shot] {
	return func(yield func(Shot) bool) {
		var at time.Duration
		for n := uint64(0); ; n++ {
			var s Shot
			if l.Rate > 0 && l.Pace == Poisson {
				at += l.gap(n)
				s = l.pick(n, clients)
				s.At = at
			} else {
				s = l.Shot(n, clients)
			}
			if !yield(s) {
				return
			}
		}
	}
}

// pick is a shot without its moment. The order of the draws is part of what a
// seed means.
func (l Load) pick(n uint64, clients int) Shot {
	s := Shot{N: n, Client: int(n % uint64(clients)), Pick: -1}
	if len(l.Mix) == 0 && l.Slow == 0 {
		return s
	}
	chance := Chance(l.Seed, l.Name, n)
	if len(l.Mix) > 0 {
		total := 0
		for i := range l.Mix {
			total += max(1, l.Mix[i].Weight)
		}
		draw := chance.IntN(total)
		for draw >= 0 {
			s.Pick++
			draw -= max(1, l.Mix[s.Pick].Weight)
		}
	}
	if l.Slow > 0 {
		s.Slow = time.Duration(float64(l.Slow) * (0.8 + 0.4*chance.Float64())).Round(time.Millisecond)
	}
	return s
}

// gap is the time before the nth request of a Poisson process.
func (l Load) gap(n uint64) time.Duration {
	return time.Duration(Chance(l.Seed, l.Name+"/pace", n).ExpFloat64() / l.Rate * float64(time.Second))
}

// Digest is the SHA-256, in hex, of the load and its first n shots, sent from that
// many clients: equal digests mean that two streams set out to send the same.
func (l Load) Digest(clients, n int) string {
	h := sha256.New()
	enc := json.NewEncoder(h)
	err := enc.Encode(l) // an error is out of the question: numbers, strings, bytes
	if err == nil {
		err = enc.Encode(clients)
	}
	for s := range l.Shots(clients) {
		if s.N >= uint64(n) || err != nil {
			break
		}
		err = enc.Encode(s)
	}
	if err != nil {
		return fmt.Sprintf("no digest: %v", err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Chance is the randomness of the nth step of something with a name: a pure
// function of the three, and independent from step to step.
func Chance(seed uint64, name string, n uint64) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(mix(seed^mix(h.Sum64())), mix(n)))
}

// mix is the finaliser of SplitMix64: neighbours become strangers.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
