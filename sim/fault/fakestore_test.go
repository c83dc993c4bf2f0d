package fault

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/unilb/unilb/sim/etcd"
	"github.com/unilb/unilb/topology"
)

// fakeDisk is the disk of a fake machine.
type fakeDisk struct {
	plain   bool // it cannot be slow
	numb    bool // it takes orders and does nothing
	slow    Slowness
	full    bool
	size    int64
	delayed uint64
	files   string // "" when it is empty
	saved   string
}

func (m *fake) SaveDisk() error { return m.did("save disk", func() { m.disk.saved = m.disk.files }) }
func (m *fake) DiskSaved() bool { return m.disk.saved != "" }
func (m *fake) RestoreDisk() error {
	return m.did("restore disk", func() { m.disk.files = m.disk.saved })
}
func (m *fake) EmptyDisk() error { return m.did("empty disk", func() { m.disk.files = "" }) }

func (m *fake) HasDisk() bool { return m.disk.size > 0 }
func (m *fake) Slowable() error {
	if m.disk.plain {
		return errors.New("an ordinary disk")
	}
	return nil
}
func (m *fake) SlowDisk(s Slowness) error { return m.did("slow disk", func() { m.disk.slow = s }) }
func (m *fake) DiskSize() (int64, error)  { return m.disk.size, nil }
func (m *fake) FillDisk() error           { return m.did("fill disk", func() { m.disk.full = true }) }
func (m *fake) ResizeDisk(size int64) error {
	return m.did("resize disk", func() { m.disk.full = false; m.disk.size = size })
}
func (m *fake) TryDisk(context.Context) (DiskTrial, error) {
	d := &m.disk
	if d.numb {
		return DiskTrial{}, nil
	}
	t := DiskTrial{Write: d.slow.Write, Fsync: d.slow.Fsync}
	if d.slow.Write+d.slow.Fsync > 0 {
		d.delayed++
	}
	t.Delayed = d.delayed
	switch {
	case d.full:
		t.Err, t.Full = errFake, true
	case d.slow.Fails != "":
		t.Err = errFake
	}
	return t, nil
}

// fakeStore is a cluster whose members elect at once and lose nothing.
type fakeStore struct {
	members   []*fakeMember
	leader    int // the last one
	revision  int64
	compacted int64
	stubborn  bool // serves without a quorum, and tells its past
}

// fakeMember is one etcd server.
type fakeMember struct {
	*fake
	store *fakeStore
	id    uint64
	gone  bool // from the list of the members
}

func fakeStores(w *world, n int) map[string]*fakeStore {
	s := &fakeStore{revision: 7, leader: 1}
	for i, ref := range []topology.Ref{"bj/az1/etcd-e1", "bj/az2/etcd-e2", "bj/az3/etcd-e3"}[:n] {
		s.members = append(s.members, &fakeMember{store: s, id: uint64(i + 1), fake: &fake{
			ref: ref, world: w, disk: fakeDisk{size: 1 << 20, files: "data"},
			running: map[string]bool{topology.ProcEtcd: true}, frozen: map[string]bool{},
		}})
	}
	return map[string]*fakeStore{"bj": s}
}

func (w *world) Stores() []string {
	var out []string
	for r := range w.stores {
		out = append(out, r)
	}
	slices.Sort(out)
	return out
}

func (w *world) Store(region string) []Member {
	var out []Member
	for _, m := range w.stores[region].members {
		out = append(out, m)
	}
	return out
}

func (m *fakeMember) ProcessNames() []string { return []string{topology.ProcEtcd} }

func (m *fakeMember) serves() bool {
	m.world.mu.Lock()
	defer m.world.mu.Unlock()
	return m.running[topology.ProcEtcd] && !m.frozen[topology.ProcEtcd]
}

func (m *fakeMember) PeerURL() string { return "http://" + string(m.ref) }

func (m *fakeMember) Peers(context.Context) ([]etcd.Peer, error) {
	if !m.serves() {
		return nil, errFake
	}
	var out []etcd.Peer
	for _, o := range m.store.members {
		if !o.gone || m.store.stubborn {
			out = append(out, etcd.Peer{ID: o.id, URLs: []string{o.PeerURL()}})
		}
	}
	return out, nil
}

func (m *fakeMember) list(url string, gone bool) error {
	if !m.serves() || m.store.elected() == nil {
		return errFake
	}
	for _, o := range m.store.members {
		if o.PeerURL() == url {
			o.gone = gone
		}
	}
	return nil
}

func (m *fakeMember) AddPeer(_ context.Context, url string) error    { return m.list(url, false) }
func (m *fakeMember) RemovePeer(_ context.Context, url string) error { return m.list(url, true) }

// elected is the leader; nil without a quorum.
func (s *fakeStore) elected() *fakeMember {
	up := slices.DeleteFunc(slices.Clone(s.members), func(m *fakeMember) bool { return !m.serves() })
	if len(up) < quorum(len(s.members)) && !s.stubborn {
		return nil
	}
	if slices.Contains(up, s.members[s.leader]) || len(up) == 0 {
		return s.members[s.leader]
	}
	return up[0]
}

func (m *fakeMember) Status(context.Context) (etcd.Status, error) {
	if !m.serves() {
		return etcd.Status{}, errFake
	}
	st := etcd.Status{Member: m.id, Revision: m.store.revision}
	if l := m.store.elected(); l != nil {
		st.Leader = l.id
	}
	return st, nil
}

func (m *fakeMember) Revision(ctx context.Context) (int64, error) {
	_, err := m.Range(ctx, etcd.Query{})
	return m.store.revision, err
}

func (m *fakeMember) Range(_ context.Context, q etcd.Query) (etcd.Answer, error) {
	switch {
	case !m.serves(), !q.Serializable && m.store.elected() == nil:
		return etcd.Answer{}, errFake
	case q.Revision > 0 && q.Revision < m.store.compacted && !m.store.stubborn:
		return etcd.Answer{}, etcd.ErrCompacted
	}
	return etcd.Answer{Revision: m.store.revision}, nil
}

func (m *fakeMember) Compact(_ context.Context, rev int64, _ bool) error {
	if !m.serves() || m.store.elected() == nil {
		return errFake
	}
	if rev <= m.store.compacted {
		return etcd.ErrCompacted
	}
	return m.did("compact", func() { m.store.compacted = rev })
}

// sameStores says whether the members run, and serve, as in another world.
func sameStores(a, b *world) bool {
	for r, s := range a.stores {
		for i, m := range s.members {
			if m.serves() != b.stores[r].members[i].serves() || m.frozen[topology.ProcEtcd] || m.gone {
				return false
			}
		}
	}
	return true
}

const slowly = 200 * time.Millisecond
