package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/topology"
)

// Ports are the local ports that a machine gives to outgoing connections.
type Ports interface {
	LocalPorts() (LocalPorts, error)
	SetLocalPorts(LocalPorts) error
	// DialSelf opens n connections at once to one place of the machine itself and
	// closes them again. It returns how many could be opened, and why no more.
	DialSelf(ctx context.Context, n int) (int, error)
}

// LocalPorts are the two settings that decide which local port an outgoing
// connection gets, as the kernel writes them.
type LocalPorts struct {
	Range    string `json:"range"`    // net.ipv4.ip_local_port_range: "32768 60999"
	Reserved string `json:"reserved"` // net.ipv4.ip_local_reserved_ports: never given
}

// ExhaustPorts leaves a machine no local ports for outgoing connections: connect
// fails at once with EADDRNOTAVAIL. Datagram sockets get none either.
// Connections that were there go on, and others can still connect to it.
type ExhaustPorts struct {
	On   topology.Selector `json:"on" arg:"1" need:"true" doc:"nodes"`
	Keep int               `json:"keep,omitempty" arg:"2" doc:"how many connections to one destination it may have open; none without it"`

	Was []NodePorts `json:"was,omitempty" yaml:"-"` // decided by Resolve
}

// NodePorts is what a machine had.
type NodePorts struct {
	Node topology.Ref `json:"node"`
	LocalPorts
}

// firstScarce is the first of the ports that are left: outside the kernel's own
// range and what people set, so that no connection has one.
const firstScarce = 65000

// Spelling implements Spelled.
func (f ExhaustPorts) Spelling() error { return errors.Join(f.On.Check(), checkKeep(f.Keep)) }

// Kind implements Fault.
func (ExhaustPorts) Kind() string { return "exhaust-ports" }

func (f ExhaustPorts) String() string {
	return fmt.Sprintf("%s runs out of local ports%s", f.On, kept(f.Keep))
}

// Touches implements Fault.
func (f ExhaustPorts) Touches(t Target) []topology.Ref { return refs(t, f.On) }

// Claims implements Claimer.
func (f ExhaustPorts) Claims(t Target) []Claim {
	var out []Claim
	for _, m := range t.Machines(f.On) {
		out = append(out, Claim(fmt.Sprintf("the local ports of %s", m.Ref())))
	}
	return out
}

// Check implements Fault.
func (f ExhaustPorts) Check(t Target) error {
	machines, err := selected(t, f, f.On)
	if err != nil {
		return err
	}
	for _, m := range machines {
		now, err := m.LocalPorts()
		if err != nil {
			return unavailable(f, "%v", err)
		}
		if strings.HasPrefix(now.Range, fmt.Sprint(firstScarce, " ")) {
			return unavailable(f, "%s has no more than the ports %s as it is", m.Ref(), now.Range)
		}
	}
	return nil
}

// Resolve implements Resolver: it keeps the settings that there were.
func (f ExhaustPorts) Resolve(_ context.Context, t Target) (Fault, error) {
	f.Was = nil
	for _, m := range t.Machines(f.On) {
		now, err := m.LocalPorts()
		if err != nil {
			return nil, err
		}
		f.Was = append(f.Was, NodePorts{m.Ref(), now})
	}
	return f, nil
}

// scarce returns the settings under which keep connections to one destination
// are possible. The kernel does not use the last port of an odd range, and takes
// no empty one: the range is even and its surplus reserved.
func (f ExhaustPorts) scarce(was LocalPorts) LocalPorts {
	size := max(2, f.Keep+f.Keep%2)
	last := firstScarce + size - 1
	out := LocalPorts{Range: fmt.Sprint(firstScarce, last), Reserved: was.Reserved}
	if f.Keep < size {
		surplus := fmt.Sprintf("%d-%d", firstScarce+f.Keep, last)
		out.Reserved = strings.TrimPrefix(was.Reserved+","+surplus, ",")
	}
	return out
}

// Apply implements Fault.
func (f ExhaustPorts) Apply(ctx context.Context, t Target) error {
	return f.each(t, func(m Machine, was LocalPorts) error {
		if err := m.SetLocalPorts(f.scarce(was)); err != nil {
			return err
		}
		n, err := m.DialSelf(ctx, f.Keep+1)
		switch {
		case err == nil:
			return fmt.Errorf("%s still opens %d connections to one destination", m.Ref(), n)
		case !errors.Is(err, unix.EADDRNOTAVAIL):
			return fmt.Errorf("dial from %s: %w", m.Ref(), err)
		case n != f.Keep:
			return fmt.Errorf("%s opens %d connections to one destination, want %d", m.Ref(), n, f.Keep)
		}
		return nil
	})
}

// Revert implements Fault.
func (f ExhaustPorts) Revert(ctx context.Context, t Target) error {
	return f.each(t, func(m Machine, was LocalPorts) error {
		if err := m.SetLocalPorts(was); err != nil {
			return err
		}
		if n, err := m.DialSelf(ctx, f.Keep+1); err != nil {
			return fmt.Errorf("%s opens %d connections to one destination: %w", m.Ref(), n, err)
		}
		return nil
	})
}

// each calls do for every machine with what it had, and joins the errors.
func (f ExhaustPorts) each(t Target, do func(Machine, LocalPorts) error) error {
	var errs []error
	for _, m := range t.Machines(f.On) {
		for _, was := range f.Was {
			if was.Node == m.Ref() {
				errs = append(errs, do(m, was.LocalPorts))
			}
		}
	}
	return errors.Join(errs...)
}
