package lab

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// How long a leak may take to show.
const (
	leakQuick = 50 * time.Millisecond // once the drop has counted what was sent
	leakSlow  = time.Second           // when it has not: the way may be long, or dead
	leakPoll  = 10 * time.Millisecond
)

// Leaks implements fault.Filter: it listens at each address, on the machine that
// has it, sends there from this one and waits until the drop has counted as many
// packets, or for a second. A datagram that is neither counted nor arrives met
// something else that is dead, which is no leak.
func (m machine) Leaks(ctx context.Context, id string, to []netip.Addr) ([]netip.Addr, error) {
	before, err := m.n.stack.Dropped(m.drop(id, nil))
	if err != nil {
		return nil, err
	}
	sent := uint64(0)
	traps := make([]*trap, 0, len(to))
	defer func() {
		for _, t := range traps {
			t.close()
		}
	}()
	for _, a := range to {
		at, err := m.n.lab.traps(a)
		traps = append(traps, at...)
		if err != nil {
			return nil, err
		}
		for _, t := range at {
			if m.send(t.at) {
				sent++
			}
		}
	}
	if err := m.awaitLeaks(ctx, id, before+sent, traps); err != nil {
		return nil, err
	}
	var through []netip.Addr
	for _, t := range traps {
		if t.sprung.Load() {
			through = append(through, t.at.Addr())
		}
	}
	return through, nil
}

// awaitLeaks waits until a leak would have shown.
func (m machine) awaitLeaks(ctx context.Context, id string, count uint64, traps []*trap) error {
	tick := time.NewTicker(leakPoll)
	defer tick.Stop()
	start := time.Now()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
		got, err := m.n.stack.Dropped(m.drop(id, nil))
		if err != nil {
			return err
		}
		waited := time.Since(start)
		if waited > leakSlow || waited > leakQuick && got >= count {
			return nil
		}
		for _, t := range traps {
			if t.sprung.Load() {
				return nil
			}
		}
	}
}

// send sends one datagram; false when there is no route to it.
func (m machine) send(to netip.AddrPort) bool {
	c, err := m.n.Dial(context.Background(), "udp4", to) // nothing that could wait
	if err != nil {
		return false
	}
	defer c.Close()
	_, _ = c.Write([]byte("leak")) // a drop may show as an error, and counts
	return true
}

// A trap waits for a datagram at an address of the lab.
type trap struct {
	at     netip.AddrPort
	conn   net.PacketConn
	sprung atomic.Bool
	done   sync.WaitGroup
}

// traps listens on every node that has the address, two tenants' guests perhaps.
// One without power is left out. What was made is returned with an error, too.
func (l *Lab) traps(a netip.Addr) ([]*trap, error) {
	var out []*trap
	for _, n := range l.order {
		n.mu.Lock()
		off := n.off
		n.mu.Unlock()
		if off || !has(machine{n}, a) {
			continue
		}
		c, err := n.ListenPacket("udp4", netip.AddrPortFrom(a, 0))
		if err != nil {
			return out, fmt.Errorf("look for leaks: %w", err)
		}
		t := &trap{at: c.LocalAddr().(*net.UDPAddr).AddrPort(), conn: c}
		t.done.Go(func() {
			if _, _, err := c.ReadFrom(make([]byte, 8)); err == nil {
				t.sprung.Store(true)
			}
		})
		out = append(out, t)
	}
	return out, nil
}

func has(m machine, a netip.Addr) bool {
	return slices.Contains(m.Addresses(), a)
}

func (t *trap) close() {
	_ = t.conn.Close()
	t.done.Wait()
}
