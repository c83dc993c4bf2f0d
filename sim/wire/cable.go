package wire

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/topology"
)

// cable is a wire made of two TAP devices.
type cable struct {
	ends [2]link.End
	taps [2]*os.File
	dirs [2]*direction
	wg   sync.WaitGroup
	once sync.Once
}

var _ Wire = (*cable)(nil)

func layCable(a, b link.End, o Options) (Wire, error) {
	for d, i := range map[Direction]topology.Impairment{AToB: o.AB, BToA: o.BA} {
		if err := Check(i); err != nil {
			return nil, fmt.Errorf("lay wire %s: %s: %w", o.Name, d, err)
		}
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
	c := &cable{ends: [2]link.End{a, b}, taps: [2]*os.File{tapA, tapB}}
	for which := range c.dirs {
		d, err := newDirection(c.taps[which], c.taps[1-which], Direction(which), o)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("lay wire %s: %w", o.Name, err), c.Close())
		}
		c.dirs[which] = d
	}
	for _, d := range c.dirs {
		c.wg.Go(d.read)
		c.wg.Go(d.write)
	}
	return c, nil
}

func (c *cable) Check(i topology.Impairment) error { return Check(i) }

func (c *cable) Impair(d Direction, i topology.Impairment) error {
	if err := c.dirs[d].impair(i); err != nil {
		return fmt.Errorf("impair %s %s: %w", c.dirs[d].o.Name, d, err)
	}
	return nil
}

func (c *cable) Impairment(d Direction) topology.Impairment {
	c.dirs[d].mu.Lock()
	defer c.dirs[d].mu.Unlock()
	return c.dirs[d].set
}

func (c *cable) Cut(d Direction, cut bool) { c.dirs[d].setCut(cut) }

func (c *cable) IsCut(d Direction) bool {
	c.dirs[d].mu.Lock()
	defer c.dirs[d].mu.Unlock()
	return c.dirs[d].cut
}

func (c *cable) Stats(d Direction) Stats {
	// Outside the lock. An end that is gone says nothing new.
	overrun, err := c.ends[d].Stack.TxDropped(c.ends[d].Name)
	c.dirs[d].mu.Lock()
	defer c.dirs[d].mu.Unlock()
	if err == nil {
		c.dirs[d].stats.Overrun = overrun
	}
	return c.dirs[d].stats
}

func (c *cable) Medium() Medium { return MediumTAP }

func (c *cable) Close() error {
	var err error
	c.once.Do(func() {
		for _, d := range c.dirs {
			if d != nil {
				d.close()
			}
		}
		err = errors.Join(c.taps[0].Close(), c.taps[1].Close())
		c.wg.Wait()
	})
	return err
}
