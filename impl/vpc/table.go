package vpc

import (
	"fmt"
	"net/netip"
	"slices"
)

// A Table holds the records of a pool and finds free addresses and the address
// of an owner. It follows what is stored: Set tells it each record. Only methods
// other than Set are safe for concurrent use. Finding one address costs a logarithm of the number
// of addresses that were given back.
type Table struct {
	pool    Pool
	records map[netip.Addr]Address
	owners  map[Owner]netip.Addr
	freed   []netip.Addr // recorded and free, ascending
	fresh   netip.Addr   // every pool address below it is recorded
}

// NewTable returns a table without records.
func NewTable(p Pool) *Table {
	t := &Table{pool: p, records: make(map[netip.Addr]Address), owners: make(map[Owner]netip.Addr)}
	if p.prefix.IsValid() {
		t.fresh = p.prefix.Addr()
		t.fresh, _ = p.after(t.fresh)
	}
	return t
}

// Pool returns the pool the table was made for.
func (t *Table) Pool() Pool { return t.pool }

// Set records a, replacing what was known of its address.
func (t *Table) Set(a Address) {
	if old, ok := t.records[a.UniqueIP]; ok {
		t.forget(old)
	}
	t.records[a.UniqueIP] = a
	t.advance()
	if !a.Owner.IsZero() {
		t.owners[a.Owner] = a.UniqueIP
	}
	if a.State == Free && t.pool.Contains(a.UniqueIP) {
		if i, found := slices.BinarySearchFunc(t.freed, a.UniqueIP, netip.Addr.Compare); !found {
			t.freed = slices.Insert(t.freed, i, a.UniqueIP)
		}
	}
}

// advance moves fresh past what is recorded.
func (t *Table) advance() {
	for t.pool.Contains(t.fresh) {
		if _, used := t.records[t.fresh]; !used {
			return
		}
		t.fresh, _ = t.pool.after(t.fresh)
	}
}

// forget removes a record from the indexes.
func (t *Table) forget(old Address) {
	if t.owners[old.Owner] == old.UniqueIP {
		delete(t.owners, old.Owner)
	}
	if i, found := slices.BinarySearchFunc(t.freed, old.UniqueIP, netip.Addr.Compare); found {
		t.freed = slices.Delete(t.freed, i, i+1)
	}
}

// Get returns the record of an address; an address without one is free and was
// never given to anybody.
func (t *Table) Get(unique netip.Addr) Address {
	if a, ok := t.records[unique]; ok {
		return a
	}
	return Address{UniqueIP: unique}
}

// Find returns the active or draining address of an owner.
func (t *Table) Find(o Owner) (Address, bool) {
	unique, ok := t.owners[o]
	return t.records[unique], ok
}

// Pick returns the n lowest free addresses, ascending. The error is a
// *PoolExhaustedError when there are fewer. It gives nothing away: the caller
// stores what Give returns, on the condition that nobody else did.
func (t *Table) Pick(n int) ([]Address, error) {
	picked := make([]Address, 0, n)
	freed, next, ok := t.freed, t.fresh, t.pool.Contains(t.fresh)
	for len(picked) < n {
		switch {
		case len(freed) > 0 && (!ok || freed[0].Less(next)):
			picked = append(picked, t.records[freed[0]])
			freed = freed[1:]
		case ok:
			if _, used := t.records[next]; !used {
				picked = append(picked, Address{UniqueIP: next})
			}
			next, ok = t.pool.after(next)
		default:
			return nil, &PoolExhaustedError{Pool: t.pool.prefix, Wanted: n, Free: len(picked)}
		}
	}
	return picked, nil
}

// All calls yield with each record, in no order, until it returns false.
func (t *Table) All(yield func(Address) bool) {
	for _, a := range t.records {
		if !yield(a) {
			return
		}
	}
}

// A PoolExhaustedError says that the pool has too few free addresses now.
// Addresses in quarantine become free later.
type PoolExhaustedError struct {
	Pool         netip.Prefix
	Wanted, Free int
}

func (e *PoolExhaustedError) Error() string {
	return fmt.Sprintf("unique IP pool %s: %d addresses wanted, %d free", e.Pool, e.Wanted, e.Free)
}
