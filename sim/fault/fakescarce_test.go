package fault

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// scarcity is what a fake machine can run out of.
type scarcity struct {
	files   map[string][]Files
	ports   LocalPorts
	foreign map[uint64]int // entries in the connection table, by seed
	pins    map[string][]Pin
	links   map[uint32]bool // that live
}

func plenty() scarcity {
	return scarcity{
		files: map[string][]Files{
			"gateway":   {{Pid: 10, Started: 1, Limit: 1024, Open: []int{0, 1, 2, 4}}, {Pid: 11, Started: 2, Limit: 512, Open: []int{0, 1, 2}}},
			"lbc-agent": {{Pid: 12, Started: 3, Limit: 1024, Open: []int{0, 1, 2}}},
		},
		ports:   LocalPorts{Range: "32768 60999", Reserved: "40000"},
		foreign: map[uint64]int{},
		pins:    map[string][]Pin{"lbc-agent": {{Path: "/m"}, {Path: "/l1", Link: 1, Live: true}, {Path: "/l2", Link: 2, Live: true}, {Path: "/l3", Link: 3}}},
		links:   map[uint32]bool{1: true, 2: true, 3: true},
	}
}

func (m *fake) Files(p string) ([]Files, error) {
	if !m.running[p] {
		return nil, nil
	}
	return slices.Clone(m.scarce.files[p]), nil
}

func (m *fake) LimitFiles(p string, of Files, limit uint64) error {
	return m.did(fmt.Sprintf("limit %d %d", of.Pid, limit), func() {
		for i, f := range m.scarce.files[p] {
			if f.is(of) {
				m.scarce.files[p][i].Limit = limit
			}
		}
	})
}

func (m *fake) LocalPorts() (LocalPorts, error) { return m.scarce.ports, nil }
func (m *fake) SetLocalPorts(p LocalPorts) error {
	return m.did("ports", func() { m.scarce.ports = p })
}

// DialSelf knows the ports as the kernel does.
func (m *fake) DialSelf(_ context.Context, n int) (int, error) {
	var from, to int
	if _, err := fmt.Sscan(m.scarce.ports.Range, &from, &to); err != nil {
		return 0, err
	}
	free := to - from + 1
	for part := range strings.SplitSeq(m.scarce.ports.Reserved, ",") {
		var a, b int
		if k, _ := fmt.Sscanf(part, "%d-%d", &a, &b); k == 2 && a >= from && b <= to {
			free -= b - a + 1
		}
	}
	if n > free {
		return free, unix.EADDRNOTAVAIL
	}
	return n, nil
}

func (m *fake) ConnTable(seed uint64) (ConnTable, error) {
	if m.scarce.foreign == nil {
		return ConnTable{}, errFake
	}
	t := ConnTable{Capacity: 1000, Entries: 5, Foreign: m.scarce.foreign[seed], Evicts: true}
	for _, n := range m.scarce.foreign {
		t.Entries += n
	}
	return t, nil
}

func (m *fake) FillConns(seed uint64) error {
	return m.did("fill", func() { m.scarce.foreign[seed] = 950 })
}

func (m *fake) DrainConns(seed uint64) (int, error) {
	return 0, m.did("drain", func() { delete(m.scarce.foreign, seed) })
}

func (m *fake) Pins(p string) ([]Pin, error) { return m.scarce.pins[p], nil }
func (m *fake) RemovePins(p string) error {
	return m.did("remove pins", func() {
		for _, pin := range m.scarce.pins[p] {
			delete(m.scarce.links, pin.Link)
		}
		delete(m.scarce.pins, p)
	})
}
func (m *fake) Linked(id uint32) (bool, error) { return m.scarce.links[id], nil }
