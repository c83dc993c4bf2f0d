package etcd

import "testing"

func TestKeysAreWrittenPastEverybody(t *testing.T) {
	m, c := start(t)
	rev, err := m.Put(t.Context(), "/a/\xff", []byte("1\x00\n"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Get(t.Context(), "/a/\xff")
	if err != nil || len(r.Kvs) != 1 || string(r.Kvs[0].Value) != "1\x00\n" || r.Kvs[0].ModRevision != rev {
		t.Errorf("got %v (%v), want the value at revision %d", r, err, rev)
	}
	gone, err := m.Delete(t.Context(), "/a/\xff")
	if err != nil || gone != rev+1 {
		t.Errorf("delete: revision %d (%v), want %d", gone, err, rev+1)
	}
	if r, err := c.Get(t.Context(), "/a/\xff"); err != nil || r.Count != 0 {
		t.Errorf("after that there is %v (%v)", r, err)
	}
	if again, err := m.Delete(t.Context(), "/a/\xff"); err != nil || again != gone {
		t.Errorf("delete of nothing: revision %d (%v), want %d still", again, err, gone)
	}
}

func TestMembersAreListedAndAddedOnce(t *testing.T) {
	m, _ := start(t)
	const other = "http://127.0.0.1:1"
	for range 2 { // the second finds it there
		if err := m.AddPeer(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		peers, err := m.Peers(t.Context())
		if err != nil || len(peers) != 2 || peers[0].ID == peers[1].ID {
			t.Fatalf("got %+v (%v), want two members", peers, err)
		}
		for _, p := range peers {
			if (p.Name == "test") == (p.URLs[0] == other) {
				t.Errorf("got %+v: the one that was added has no name yet", p)
			}
		}
	}
}
