package node

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
)

// Directories of the registry in etcd. Below them, keys are <kind>/<name>.
const (
	RegistryPrefix = "/unilb/nodes/registry/"
	ReportPrefix   = "/unilb/nodes/reports/"
)

// RegistryKey is where a node's Registration lives.
func RegistryKey(kind, name string) string { return RegistryPrefix + kind + "/" + name }

// ReportKey is where a node's Report lives.
func ReportKey(kind, name string) string { return ReportPrefix + kind + "/" + name }

// A State says whether a node takes work. On the status listener it is spelled
// starting, serving or draining; in a registration, which only knows whether
// somebody took the node out, the first two are both "active".
type State uint8

// The states of a node. A node answers ready only while it is Serving.
const (
	Starting State = iota
	Serving
	Draining
)

// String returns the word of the status listener.
func (s State) String() string {
	switch s {
	case Serving:
		return "serving"
	case Draining:
		return "draining"
	}
	return "starting"
}

// MarshalText returns the word of the registration: active or draining.
func (s State) MarshalText() ([]byte, error) {
	if s == Draining {
		return []byte("draining"), nil
	}
	return []byte("active"), nil
}

// UnmarshalText reads the word of a registration; active becomes Serving.
func (s *State) UnmarshalText(b []byte) error {
	switch string(b) {
	case "active":
		*s = Serving
	case "draining":
		*s = Draining
	default:
		return fmt.Errorf("state %q: want active or draining", b)
	}
	return nil
}

// A Registration makes a node part of its region. It is written at start and
// stays until the node is drained or removed: no lease, so that a node cut off
// from etcd still counts.
type Registration struct {
	Name     string     `json:"name"` // a path such as bj/az1/l7-1
	Kind     string     `json:"kind"` // l7gw, l7admin, lbc-agent, host, l4lb
	Region   string     `json:"region"`
	Zone     string     `json:"zone"`
	Underlay netip.Addr `json:"underlay,omitzero"` // address on the physical network; the VTEP
	Member   netip.Addr `json:"member,omitzero"`   // what L4 probes through its tunnel; not every node has one
	Status   string     `json:"status"`            // URL of the status listener
	// Watches are the prefixes that must be in force here before a change
	// counts as in force everywhere.
	Watches []string `json:"watches"`
	State   State    `json:"state"`
}

// ParseRegistration reads a Registration from etcd. Unknown fields are ignored,
// so that an older reader understands a newer node.
func ParseRegistration(b []byte) (Registration, error) {
	var r Registration
	if err := json.Unmarshal(b, &r); err != nil {
		return Registration{}, fmt.Errorf("parse registration: %w", err)
	}
	if err := r.Validate(); err != nil {
		return Registration{}, fmt.Errorf("parse registration: %w", err)
	}
	return r, nil
}

// Validate reports what makes r unfit to be written.
func (r Registration) Validate() error {
	if r.Kind == "" || strings.Contains(r.Kind, "/") {
		return fmt.Errorf("kind %q: want one word", r.Kind)
	}
	if !validName(r.Name) {
		return fmt.Errorf("name %q: want a path such as bj/az1/l7-1", r.Name)
	}
	return nil
}

// validName accepts paths of non-empty segments of printable ASCII.
func validName(name string) bool {
	const longest = 256 // bytes; the name is part of keys
	if name == "" || len(name) > longest {
		return false
	}
	for seg := range strings.SplitSeq(name, "/") {
		if seg == "" || seg == "." || seg == ".." {
			return false
		}
		for _, c := range []byte(seg) {
			if c <= ' ' || c >= 0x7f {
				return false
			}
		}
	}
	return true
}
