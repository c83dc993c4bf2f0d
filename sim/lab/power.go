package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

func (m machine) Unplug() error {
	var errs []error
	for _, ifname := range m.n.interfaces() {
		errs = append(errs, m.n.stack.SetUp(ifname, false))
	}
	return errors.Join(errs...)
}

// Unplugged implements fault.Power.
func (m machine) Unplugged() bool {
	for _, ifname := range m.n.interfaces() {
		if up, err := m.n.stack.IsUp(ifname); err != nil || up {
			return false
		}
	}
	return true
}

// Lose implements fault.Power.
func (m machine) Lose() error {
	m.n.mu.Lock()
	m.n.off = true
	m.n.mu.Unlock()
	// Sockets that the kernel closes for a killed process go on trying to send
	// their FIN for minutes, and would succeed after the node is switched on
	// again. A machine without power forgets them: with one retry they are gone in
	// less than a second.
	errs := []error{m.n.stack.Sysctl("net.ipv4.tcp_orphan_retries", "1")}
	for _, name := range m.ProcessNames() {
		errs = append(errs, m.Kill(name))
	}
	m.n.stopEchoes()
	errs = append(errs, removePins([]*Node{m.n}))
	m.n.lab.event("node", m.Ref(), "without power")
	return errors.Join(errs...)
}

// Boot implements fault.Power: it removes what daemons had made, as a reboot does,
// and brings back what the plan says.
func (m machine) Boot(ctx context.Context) error {
	n := m.n
	if err := m.forget(ctx); err != nil {
		return fmt.Errorf("switch %s on: %w", m.Ref(), err)
	}
	for _, ifname := range n.interfaces() {
		if err := n.stack.SetUp(ifname, true); err != nil {
			return fmt.Errorf("switch %s on: %w", m.Ref(), err)
		}
	}
	if err := n.addRoutes(anyDevice); err != nil {
		return fmt.Errorf("switch %s on: %w", m.Ref(), err)
	}
	n.mu.Lock()
	n.off = false
	n.mu.Unlock()
	n.lab.event("node", m.Ref(), "has power again")
	return n.startEchoes()
}

// forget removes interfaces, addresses and sockets that are not in the plan.
func (m machine) forget(ctx context.Context) error {
	n := m.n
	keep := append(n.interfaces(), "lo")
	have, err := n.stack.Interfaces()
	if err != nil {
		return err
	}
	for _, ifname := range have {
		if slices.Contains(keep, ifname) {
			continue
		}
		if err := n.stack.Delete(ifname); err != nil {
			return err
		}
	}
	if err := n.stack.Restore("lo", n.plan.Loopback); err != nil {
		return err
	}
	if err := n.awaitNoOrphans(ctx); err != nil {
		return err
	}
	return n.stack.Sysctl("net.ipv4.tcp_orphan_retries", "0") // the kernel's default
}

// awaitNoOrphans waits until no socket is left that would still send a FIN.
func (n *Node) awaitNoOrphans(ctx context.Context) error {
	const limit = 10 * time.Second
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(limit)
	for {
		orphans, err := n.orphans()
		if err != nil || orphans == 0 {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-deadline:
			return fmt.Errorf("%d closed connections still try to send after %v", orphans, limit)
		}
	}
}

// orphans counts TCP sockets in FIN_WAIT1, CLOSING and LAST_ACK.
func (n *Node) orphans() (int, error) {
	var table []byte
	err := n.ns.Do(func() (err error) {
		table, err = os.ReadFile("/proc/thread-self/net/tcp")
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read connections of %s: %w", n.Ref(), err)
	}
	count := 0
	for line := range strings.Lines(string(table)) {
		const state = 3 // column
		if f := strings.Fields(line); len(f) > state && slices.Contains([]string{"04", "0B", "09"}, f[state]) {
			count++
		}
	}
	return count, nil
}
