//go:build netns

package bpf

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"

	"github.com/unilb/unilb/sim/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// pinDir is a directory of the test's own on the sandbox's bpffs.
func pinDir(t *testing.T) string {
	t.Helper()
	sandbox.Require(t, sandbox.CapNetNS, sandbox.CapEBPF)
	dir, err := os.MkdirTemp(sandbox.BPF, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

const keySize, valueSize, entries = 16, 4, 1 << 14

// pinned pins a map of the type and returns it with its path.
func pinned(t *testing.T, typ ebpf.MapType) (*ebpf.Map, string) {
	t.Helper()
	dir := pinDir(t)
	m, err := ebpf.NewMap(&ebpf.MapSpec{Name: "somebodys", Type: typ, KeySize: keySize, ValueSize: valueSize, MaxEntries: entries})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	path := filepath.Join(dir, "table")
	if err := m.Pin(path); err != nil {
		t.Fatal(err)
	}
	return m, path
}

func open(t *testing.T, path string) *Table {
	t.Helper()
	table, err := OpenTable(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { table.Close() })
	return table
}

// count returns how many entries there are, and how many foreign ones of seed 7.
func count(t *testing.T, table *Table) (all, foreign int) {
	t.Helper()
	all, foreign, err := table.Count(7)
	if err != nil {
		t.Fatal(err)
	}
	return all, foreign
}

// own is an entry of the map's owner.
func own(i int) [keySize]byte {
	var k [keySize]byte
	binary.LittleEndian.PutUint32(k[:], uint32(i))
	return k
}

func put(t *testing.T, m *ebpf.Map, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := m.Put(own(i), uint32(i)); err != nil {
			t.Fatal(err)
		}
	}
}

// left counts those of the owner's entries that are still right.
func left(t *testing.T, m *ebpf.Map, n int) int {
	t.Helper()
	have := 0
	for i := range n {
		var v uint32
		err := m.Lookup(own(i), &v)
		switch {
		case err == nil && v == uint32(i):
			have++
		case err != nil && !errors.Is(err, ebpf.ErrKeyNotExist), err == nil:
			t.Fatalf("entry %d: value %d, %v", i, v, err)
		}
	}
	return have
}

func TestFilledHashRefusesWhatIsNewAndKeepsWhatItHad(t *testing.T) {
	const had = 100
	m, path := pinned(t, ebpf.Hash)
	put(t, m, 0, had)
	table := open(t, path)
	if err := table.Fill(7); err != nil {
		t.Fatal(err)
	}
	if all, foreign := count(t, table); all != entries || foreign != entries-had || table.Evicts() || table.Capacity() != entries {
		t.Errorf("%d entries of %d, want all; %d foreign; evicts: %t", all, table.Capacity(), foreign, table.Evicts())
	}
	if err := m.Put(own(had), uint32(0)); err == nil {
		t.Error("a full table took one more entry")
	}
	if got, err := open(t, path).Drain(8); err != nil || got != 0 {
		t.Errorf("with another seed %d entries were deleted, %v", got, err)
	}
	if got, err := open(t, path).Drain(7); err != nil || got != entries-had {
		t.Errorf("%d entries deleted, %v; want %d", got, err, entries-had)
	}
	all, foreign := count(t, table)
	if mine := left(t, m, had); all != had || foreign != 0 || mine != had {
		t.Errorf("%d entries left, %d foreign, %d of the owner's; want exactly its %d", all, foreign, mine, had)
	}
}

func TestFilledTableThatEvictsLosesItsOldestEntries(t *testing.T) {
	const had = 1000
	m, path := pinned(t, ebpf.LRUHash)
	put(t, m, 0, had)
	table := open(t, path)
	start := time.Now()
	for range 2 {
		if err := table.Fill(7); err != nil {
			t.Fatal(err)
		}
	}
	full, foreign := count(t, table)
	t.Logf("filled twice and counted in %v: %d of %d entries, %d of the owner's %d", time.Since(start), full, entries, left(t, m, had), had)
	if full < entries*9/10 || foreign != full || !table.Evicts() {
		t.Errorf("%d entries of %d, %d foreign; evicts: %t", full, entries, foreign, table.Evicts())
	}
	if got := left(t, m, had); got != 0 {
		t.Errorf("%d of the oldest %d entries are still there", got, had)
	}
	put(t, m, had, had+10) // a full table takes new entries
	var v uint32
	if err := m.Lookup(own(had+9), &v); err != nil {
		t.Errorf("new entry in a full table: %v", err)
	}
	if _, err := open(t, path).Drain(7); err != nil {
		t.Fatal(err)
	}
	if all, foreign := count(t, table); all != 10 || foreign != 0 {
		t.Errorf("%d entries left, %d foreign, want the owner's 10", all, foreign)
	}
}

func TestWhatIsNoTableOfOpaqueKeysIsRefused(t *testing.T) {
	dir := pinDir(t)
	for name, spec := range map[string]*ebpf.MapSpec{
		"array":     {Type: ebpf.Array, KeySize: 4, ValueSize: 4, MaxEntries: 8},
		"short-key": {Type: ebpf.Hash, KeySize: 4, ValueSize: 4, MaxEntries: 8},
	} {
		m, err := ebpf.NewMap(spec)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		path := filepath.Join(dir, name)
		if err := m.Pin(path); err != nil {
			t.Fatal(err)
		}
		var un *Unsuitable
		if _, err := OpenTable(path); !errors.As(err, &un) {
			t.Errorf("%s: got %v, want *Unsuitable", name, err)
		}
	}
	if _, err := OpenTable(filepath.Join(dir, "nothing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such pin: got %v", err)
	}
}

func TestListShowsWhatIsPinnedAndLinksEndWithTheirPins(t *testing.T) {
	dir := pinDir(t)
	m, err := ebpf.NewMap(&ebpf.MapSpec{Name: "somebodys", Type: ebpf.LRUHash, KeySize: keySize, ValueSize: valueSize, MaxEntries: 64})
	if err != nil {
		t.Fatal(err)
	}
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{Name: "pass", Type: ebpf.SchedCLS, License: "GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, -1), asm.Return()}})
	if err != nil {
		t.Fatal(err)
	}
	const lo = 1
	l, err := link.AttachTCX(link.TCXOptions{Interface: lo, Program: prog, Attach: ebpf.AttachTCXIngress})
	if err != nil {
		t.Fatal(err)
	}
	sub := filepath.Join(dir, "maps-1")
	if err := os.Mkdir(sub, 0o700); err != nil {
		t.Fatal(err)
	}
	err = errors.Join(m.Pin(filepath.Join(sub, "m")), prog.Pin(filepath.Join(dir, "p")), l.Pin(filepath.Join(dir, "l")),
		m.Close(), prog.Close(), l.Close())
	if err != nil {
		t.Fatal(err)
	}
	pins, err := List(dir)
	if err != nil || len(pins) != 3 {
		t.Fatalf("got %+v, %v", pins, err)
	}
	byKind := map[Kind]Pin{}
	for _, p := range pins {
		byKind[p.Kind] = p
		if p.ID == 0 {
			t.Errorf("%s has no id", p.Path)
		}
		p.ID = 0
	}
	want := map[Kind]Pin{
		Map: {Path: filepath.Join(sub, "m"), Kind: Map, Type: "LRUHash", Name: "somebodys", KeySize: keySize, ValueSize: valueSize, MaxEntries: 64},
		// SchedCLS and a link of type TCX
		Program: {Path: filepath.Join(dir, "p"), Kind: Program, Type: "SchedCLS", Name: "pass"},
		Link:    {Path: filepath.Join(dir, "l"), Kind: Link, Type: "TCX", Ifindex: lo},
	}
	for kind, w := range want {
		got := byKind[kind]
		got.ID = 0
		if got != w {
			t.Errorf("%s: got %+v, want %+v", kind, got, w)
		}
	}
	id := byKind[Link].ID
	if ok, err := LinkExists(id); !ok || err != nil {
		t.Errorf("a pinned link: exists %t, %v", ok, err)
	}
	if err := os.Remove(filepath.Join(dir, "l")); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(10 * time.Second); ; {
		ok, err := LinkExists(id)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("a link without a pin lives after 10s")
		}
	}
	if gone, err := List(filepath.Join(dir, "nowhere")); err != nil || gone != nil {
		t.Errorf("no directory: %v, %v", gone, err)
	}
	if _, err := List("/proc/self"); err == nil {
		t.Error("pins were listed where there is no bpffs")
	}
}
