package vpc

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// A State says where a unique IP is in its life. The zero value is Free:
// nobody's, and therefore never forwarded to.
type State uint8

// The life of a unique IP goes round: free, active, draining, quarantine, free.
// A draining address that its owner wants back becomes active again.
const (
	Free       State = iota
	Active           // has an owner and a mapping
	Draining         // nobody uses it any more; its mapping still serves what gateways have under way
	Quarantine       // has no mapping; waits until no cache can remember its last owner
)

var stateNames = []string{"free", "active", "draining", "quarantine"}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// MarshalText returns the word for the state.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word for the state.
func (s *State) UnmarshalText(b []byte) error {
	i := slices.Index(stateNames, string(b))
	if i < 0 {
		return fmt.Errorf("%q is not a state of a unique IP", b)
	}
	*s = State(i)
	return nil
}

// An Owner is a guest, named so that equal addresses of different VPCs differ.
type Owner struct {
	VPC string     `json:"vpc"`
	VNI uint32     `json:"vni"`
	IP  netip.Addr `json:"ip"`
}

// IsZero reports whether there is no owner.
func (o Owner) IsZero() bool { return o == Owner{} }

func (o Owner) String() string { return fmt.Sprintf("%s/%s (VNI %d)", o.VPC, o.IP, o.VNI) }

// An Address is the record of one unique IP. Its methods return the record
// after a step of its life and leave the receiver alone; a step that the state
// does not allow is a *StepError. Records are kept for ever, because the
// generation must survive.
type Address struct {
	UniqueIP   netip.Addr `json:"unique_ip"`
	State      State      `json:"state"`
	Owner      Owner      `json:"owner,omitzero"` // while active or draining
	Generation uint64     `json:"generation"`
	// Users are the target groups that send to the owner, sorted. An address
	// without users drains.
	Users []string `json:"users,omitempty"`
	// Barrier is the etcd revision that every gateway must have in force before
	// the drain time begins; 0 while active.
	Barrier int64 `json:"barrier,omitempty"`
	// Until is, while draining, when the mapping may be deleted (zero: the
	// barrier is not reached yet), and in quarantine when the address may become
	// free.
	Until time.Time `json:"until,omitzero"`
	// Mapping is what was published with this record; absent without an owner.
	Mapping *Mapping `json:"mapping,omitempty"`
}

// A StepError says that an address is not in a state from which the step leads.
type StepError struct {
	UniqueIP netip.Addr
	State    State
	Step     string
}

func (e *StepError) Error() string {
	return fmt.Sprintf("%s unique IP %s: it is %s", e.Step, e.UniqueIP, e.State)
}

func (a Address) refuse(step string) error {
	return &StepError{UniqueIP: a.UniqueIP, State: a.State, Step: step}
}

// ParseAddress decodes a record read from etcd.
func ParseAddress(b []byte) (Address, error) {
	var a Address
	if err := json.Unmarshal(b, &a); err != nil {
		return Address{}, fmt.Errorf("decode unique IP: %w", err)
	}
	if !a.UniqueIP.Is4() {
		return Address{}, fmt.Errorf("decode unique IP: %q is not an IPv4 address", a.UniqueIP)
	}
	return a, nil
}

// Give makes owner the owner of a free address, in a new generation.
func (a Address) Give(owner Owner, user string) (Address, error) {
	if a.State != Free {
		return a, a.refuse("give")
	}
	return Address{
		UniqueIP: a.UniqueIP, State: Active, Owner: owner,
		Generation: a.Generation + 1, Users: []string{user},
	}, nil
}

// Use adds a user. A draining address becomes active again: it still has its
// mapping and its owner, so the generation stays.
func (a Address) Use(user string) (Address, error) {
	if a.State != Active && a.State != Draining {
		return a, a.refuse("use")
	}
	a.State, a.Barrier, a.Until = Active, 0, time.Time{}
	if i, found := slices.BinarySearch(a.Users, user); !found {
		a.Users = slices.Insert(slices.Clone(a.Users), i, user)
	}
	return a, nil
}

// Release takes a user away, whose last use is gone from the configuration at
// the revision barrier. Without users left the address drains.
func (a Address) Release(user string, barrier int64) (Address, error) {
	if a.State != Active {
		return a, a.refuse("release")
	}
	if i, found := slices.BinarySearch(a.Users, user); found {
		a.Users = slices.Delete(slices.Clone(a.Users), i, i+1)
	}
	// Also an earlier user's last use must be out of force before the drain.
	a.Barrier = max(a.Barrier, barrier)
	if len(a.Users) == 0 {
		a.State, a.Users = Draining, nil
	}
	return a, nil
}

// Reached notes that every gateway has the barrier in force: the mapping may be
// deleted at until.
func (a Address) Reached(until time.Time) (Address, error) {
	if a.State != Draining || !a.Until.IsZero() {
		return a, a.refuse("note the barrier of")
	}
	a.Until = until
	return a, nil
}

// Withdraw ends the drain: the owner loses the address, its mapping goes, and it
// stays in quarantine until the given time.
func (a Address) Withdraw(now, until time.Time) (Address, error) {
	if a.State != Draining || a.Until.IsZero() || now.Before(a.Until) {
		return a, a.refuse("withdraw")
	}
	return Address{UniqueIP: a.UniqueIP, State: Quarantine, Generation: a.Generation, Until: until}, nil
}

// Free ends the quarantine: the address is available again.
func (a Address) Free(now time.Time) (Address, error) {
	if a.State != Quarantine || now.Before(a.Until) {
		return a, a.refuse("free")
	}
	return Address{UniqueIP: a.UniqueIP, State: Free, Generation: a.Generation}, nil
}

// MappingFor returns the mapping of an address that has an owner, to the guest
// that port describes.
func (a Address) MappingFor(port Port) (Mapping, error) {
	if a.Owner.IsZero() || port.VNI != a.Owner.VNI || port.IP != a.Owner.IP {
		return Mapping{}, a.refuse("map")
	}
	return Mapping{
		UniqueIP: a.UniqueIP, VPC: a.Owner.VPC, VNI: a.Owner.VNI, VPCIP: a.Owner.IP,
		MAC: port.MAC, VTEP: port.VTEP, Generation: a.Generation,
	}, nil
}
