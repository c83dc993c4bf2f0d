package lbc

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

// A unit is what is published as one: a load balancer with its listeners and
// rules, a target group, or a port. Units are published independently, so that
// a slow one holds up no other.
type unit struct {
	kind string // kindLB, kindTG or kindPort
	name string // id; "<vpc>/<ip>" of a port
}

func (u unit) String() string { return u.kind + "/" + u.name }

func (u unit) key() string { return unitPrefix + u.kind + "/" + u.name }

func parseUnitKey(key string) (unit, bool) {
	kind, name, ok := strings.Cut(strings.TrimPrefix(key, unitPrefix), "/")
	switch kind {
	case kindLB, kindTG, kindPort:
		return unit{kind, name}, ok && strings.HasPrefix(key, unitPrefix)
	}
	return unit{}, false
}

// unitRecord says what of a unit awaits publication and which revisions its
// publication touched. Every change of the unit's model and every step of its
// publication outside the Admin API rewrites it in the same commit, on the
// condition that it is unchanged: so its modification revision orders all of
// them, and a replica that works from older knowledge is refused.
type unitRecord struct {
	// By is the replica instance that took the last change and publishes it.
	By string `json:"by,omitempty"`
	// Ops are the operations that end with the next complete publication.
	Ops []string `json:"ops,omitempty"`
	// Touched holds, per directory, the revision of the last event that the
	// unit's publications caused.
	Touched map[string]int64 `json:"touched,omitempty"`
	// Now lists the directories touched by the commit that wrote this record:
	// their revision is the record's own, which it cannot contain.
	Now []string `json:"now,omitempty"`
	// Deletes are the objects (directory/id) that the publisher is about to
	// delete through the Admin API. When one is gone and the publisher too,
	// nobody knows the revision of the deletion; see fence.
	Deletes []string `json:"deletes,omitempty"`
}

func parseUnitRecord(b []byte) (unitRecord, error) {
	var r unitRecord
	if err := json.Unmarshal(b, &r); err != nil {
		return unitRecord{}, fmt.Errorf("decode unit: %w", err)
	}
	return r, nil
}

// touched returns all revisions of a record that was read at revision mod.
func (r unitRecord) touched(mod int64) map[string]int64 {
	t := make(map[string]int64, len(r.Touched)+len(r.Now))
	maps.Copy(t, r.Touched)
	for _, dir := range r.Now {
		t[dir] = max(t[dir], mod)
	}
	return t
}

// next is the record to write in place of r, which was read at revision mod.
func (r unitRecord) next(mod int64) unitRecord {
	r.Touched, r.Now = r.touched(mod), nil
	return r
}

func (r unitRecord) encode() []byte {
	b, err := json.Marshal(r)
	if err != nil {
		panic("encode unit record: " + err.Error()) // strings and integers always encode
	}
	return b
}
