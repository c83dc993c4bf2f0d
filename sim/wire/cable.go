package wire

import (
	"errors"
	"os"
	"sync"
	"time"

	"github.com/unilb/unilb/sim/link"
)

// DefaultQueue is the most bytes under way in one direction of a cable.
const DefaultQueue = 16 << 20

// Direction names one direction of a cable.
type Direction int

// The directions of a cable.
const (
	AToB Direction = iota
	BToA
)

// Options are the properties of a cable at first. The zero value is a cable
// without delay.
type Options struct {
	Delay time.Duration // one way
	Queue int           // most bytes under way in one direction; 0: DefaultQueue
}

// Stats count what one direction did since the cable was laid.
type Stats struct {
	Frames, Bytes uint64 // delivered
	Full          uint64 // frames lost because the queue was full
	Cut           uint64 // frames lost because the cable was cut
}

// A Cable joins two nodes.
type Cable struct {
	taps [2]*os.File
	dirs [2]*direction
	wg   sync.WaitGroup
	once sync.Once
}

// Lay makes the interfaces of both ends, sets them up and starts carrying frames.
// Nothing remains when it fails.
func Lay(a, b link.End, o Options) (*Cable, error) {
	if o.Queue == 0 {
		o.Queue = DefaultQueue
	}
	tapA, err := openTap(a)
	if err != nil {
		return nil, err
	}
	tapB, err := openTap(b)
	if err != nil {
		tapA.Close()
		return nil, err
	}
	c := &Cable{taps: [2]*os.File{tapA, tapB}}
	c.dirs = [2]*direction{newDirection(tapA, tapB, o), newDirection(tapB, tapA, o)}
	for _, d := range c.dirs {
		c.wg.Go(d.read)
		c.wg.Go(d.write)
	}
	return c, nil
}

// SetDelay changes the one-way delay of both directions. Frames under way keep
// theirs, and later ones do not overtake them.
func (c *Cable) SetDelay(d time.Duration) {
	for _, dir := range c.dirs {
		dir.delay.Store(int64(d))
	}
}

// Cut makes a direction lose every frame, also those under way, without either
// end noticing; on false it carries again.
func (c *Cable) Cut(d Direction, cut bool) { c.dirs[d].cut.Store(cut) }

// IsCut reports whether a direction is cut.
func (c *Cable) IsCut(d Direction) bool { return c.dirs[d].cut.Load() }

// Stats returns the counters of a direction.
func (c *Cable) Stats(d Direction) Stats { return c.dirs[d].stats() }

// Close removes the cable and its interfaces. Later calls do nothing.
func (c *Cable) Close() error {
	var err error
	c.once.Do(func() {
		for _, d := range c.dirs {
			d.close()
		}
		err = errors.Join(c.taps[0].Close(), c.taps[1].Close())
		c.wg.Wait()
	})
	return err
}
