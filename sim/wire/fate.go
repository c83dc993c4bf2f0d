package wire

import (
	"hash/fnv"

	"github.com/unilb/unilb/topology"
)

// A Fate is what becomes of one frame by the shares of an impairment.
type Fate struct {
	Lost      bool
	Duplicate bool
	Corrupt   bool
	Reorder   bool
	Jitter    float64 // -1 to 1, of Impairment.Jitter
	Bit       uint64  // which bit is flipped: this modulo the bits there are
}

// FateOf is the fate of frame n, counted from 0, of a direction of the wire called
// name. Generation is how often Impair changed the direction: 0 for what the wire
// was laid with. It is a pure function, and each kind of harm is drawn by itself:
// a wire with a larger share of loss loses the same frames and more.
func FateOf(seed uint64, name string, d Direction, generation, n uint64, i topology.Impairment) Fate {
	return newDice(seed, name, d, generation).fate(n, &i)
}

// dice decide the fates of one generation of a direction.
type dice uint64

func newDice(seed uint64, name string, d Direction, generation uint64) dice {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	key := mix(seed)
	key = mix(key ^ h.Sum64())
	key = mix(key ^ uint64(d))
	return dice(mix(key ^ generation))
}

// What is drawn for a frame. The order is part of the meaning of a seed.
const (
	drawLoss = iota
	drawDuplicate
	drawCorrupt
	drawReorder
	drawJitter
	drawBit
	draws
)

func (k dice) fate(n uint64, i *topology.Impairment) Fate {
	return Fate{
		Lost:      k.share(n, drawLoss) < i.Loss,
		Duplicate: k.share(n, drawDuplicate) < i.Duplicate,
		Corrupt:   k.share(n, drawCorrupt) < i.Corrupt,
		Reorder:   k.share(n, drawReorder) < i.Reorder,
		Jitter:    2*k.share(n, drawJitter) - 1,
		Bit:       k.draw(n, drawBit),
	}
}

// draw is a number that looks random.
func (k dice) draw(n, kind uint64) uint64 { return mix(uint64(k) + (n*draws+kind)*golden) }

// share is uniform in [0, 1).
func (k dice) share(n, kind uint64) float64 { return float64(k.draw(n, kind)>>11) / (1 << 53) }

// golden is the step of the splitmix64 generator, 2^64 divided by the golden ratio.
const golden = 0x9e3779b97f4a7c15

// mix is the finalizer of splitmix64 (Steele, Lea and Flood, 2014): it is a
// bijection whose output bits each depend on every input bit.
func mix(x uint64) uint64 {
	x += golden
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
