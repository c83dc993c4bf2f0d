package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/btree"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/history"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/etcdtest"
)

// replicas are handlers over one etcd, each with its own connection.
func replicas(t *testing.T, n int) (all []*Handler, st *store.Store, etcd *etcdtest.Server) {
	t.Helper()
	etcd = etcdtest.Start(t)
	ring, _, err := apisix.ParseKeyring("")
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		st = connect(t, etcd.Endpoint())
		h, err := New(Options{Store: &history.Store{Store: st, Objects: "/apisix"}, Keyring: ring})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, h)
	}
	return all, st, etcd
}

func connect(t *testing.T, endpoint string) *store.Store {
	t.Helper()
	st, err := store.Open(store.Options{Endpoints: []string{endpoint}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

// call asks a handler, as "PUT /routes/1".
func call(h *Handler, line, body string) (code int, text string) {
	method, path, _ := strings.Cut(line, " ")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, root+path, strings.NewReader(body)))
	return w.Code, w.Body.String()
}

func withKey(name, key string) string {
	return fmt.Sprintf(`{"username":%q,"plugins":{"key-auth":{"key":%q}}}`, name, key)
}

// fill writes consumers as another would.
func fill(t *testing.T, st *store.Store, n int) {
	t.Helper()
	for i := 0; i < n; i += 100 {
		var ops []store.Op
		for j := i; j < i+100; j++ {
			name := fmt.Sprintf("c%d", j)
			ops = append(ops, store.Op{Key: "/apisix/consumers/" + name, Value: []byte(withKey(name, "key-of-"+name))})
		}
		if _, err := st.Commit(t.Context(), nil, ops...); err != nil {
			t.Fatal(err)
		}
	}
}

// meter counts at how many keys etcd has to look for what is asked of it, at all of a
// directory to hold it as it is, and how many directories are followed.
type meter struct {
	*store.Store
	looked  int64
	follows int
}

func (m *meter) Get(ctx context.Context, key string) (store.KV, bool, int64, error) {
	m.looked++
	return m.Store.Get(ctx, key)
}

func (m *meter) Page(ctx context.Context, prefix, from string, rev int64, limit int) ([]store.KV, string, int64, error) {
	kvs, next, at, err := m.Store.Page(ctx, prefix, from, rev, limit)
	m.looked += int64(len(kvs))
	return kvs, next, at, err
}

func (m *meter) Follow(prefix string, take func(store.KV)) *store.Follower {
	m.follows++
	return m.Store.Follow(prefix, take)
}

func (m *meter) Commit(ctx context.Context, conds []store.Cond, ops ...store.Op) (int64, error) {
	for _, c := range conds {
		if m.looked++; c.Rule == store.Quiet {
			n, _ := m.Count(ctx, c.Key)
			m.looked += n
		}
	}
	return m.Store.Commit(ctx, conds, ops...)
}

// metered is a handler among so many consumers, with what counts for it.
func metered(t *testing.T, consumers int) (*Handler, *meter) {
	t.Helper()
	all, st, _ := replicas(t, 1)
	fill(t, st, consumers)
	m := &meter{Store: st}
	all[0].st = m
	return all[0], m
}

func TestWriteOfAConsumersKeyCostsTheSameAmongThreeThousand(t *testing.T) {
	t.Parallel()
	h, m := metered(t, 3000)
	if code, text := call(h, "PUT /consumers/first", withKey("first", "first")); code != 201 {
		t.Fatal(code, text)
	}
	m.looked = 0
	const writes = 20
	for i := range writes {
		name := fmt.Sprintf("new%d", i)
		if code, text := call(h, "PUT /consumers/"+name, withKey(name, name)); code != 201 {
			t.Fatal(code, text)
		}
	}
	if m.looked > 6*writes || m.follows > 1 {
		t.Errorf("for %d writes etcd looked at %d keys, and %d directories were read", writes, m.looked, m.follows)
	}
	if code, text := call(h, "PUT /consumers/thief", withKey("thief", "key-of-c2500")); code != 400 || !strings.Contains(text, "found with consumer: c2500") {
		t.Errorf("got %d %s, want that c2500 has the key", code, text)
	}
}

func TestADeletionAmongThreeThousandPossibleUsersLooksAtNone(t *testing.T) {
	t.Parallel()
	h, m := metered(t, 3000)
	for _, line := range []string{"PUT /upstreams/first", "PUT /upstreams/second"} {
		if code, text := call(h, line, `{"nodes":{}}`); code != 201 {
			t.Fatal(code, text)
		}
	}
	for _, line := range []string{"DELETE /upstreams/first", "DELETE /upstreams/second"} {
		m.looked = 0
		if code, text := call(h, line, ""); code != 200 {
			t.Fatal(code, text)
		}
		if m.looked > 20 {
			t.Errorf("%s: etcd looked at %d keys", line, m.looked)
		}
	}
}

func TestOfReplicasThatWriteTheSameAtOnceExactlyOneWins(t *testing.T) {
	t.Parallel()
	all, _, _ := replicas(t, 3)
	for round := range 15 {
		var wg sync.WaitGroup
		var mu sync.Mutex
		won, texts := map[string]int{}, map[string]string{}
		for i, h := range all {
			for kind, line := range map[string][2]string{
				"key":        {"PUT /consumers/c", withKey(fmt.Sprintf("c%d_%d", round, i), fmt.Sprintf("k%d", round))},
				"credential": {"PUT /consumers/owner/credentials/c", fmt.Sprintf(`{"plugins":{"basic-auth":{"username":"u%d","password":"p"}}}`, round)},
				"group":      {"PUT /routes/r", fmt.Sprintf(`{"uri":"/","plugins":{"limit-count":{"group":"g%d","count":%d,"time_window":1}}}`, round, i+1)},
			} {
				if round == 0 && i == 0 && kind == "credential" {
					if code, text := call(h, "PUT /consumers/owner", `{"username":"owner"}`); code != 201 {
						t.Fatal(code, text)
					}
				}
				path, body := fmt.Sprintf("%s%d_%d", line[0], round, i), line[1]
				wg.Go(func() {
					code, text := call(h, path, body)
					mu.Lock()
					defer mu.Unlock()
					texts[kind] += text
					if code == 201 {
						won[kind]++
					}
				})
			}
		}
		wg.Wait()
		for kind, text := range texts {
			if won[kind] != 1 {
				t.Errorf("round %d, %s: %d were taken, want 1: %s", round, kind, won[kind], text)
			}
		}
	}
}

func TestWhatIsGoneIsForgottenAndSoIsAllInTheEnd(t *testing.T) {
	t.Parallel()
	all, st, _ := replicas(t, 1)
	fill(t, st, 300)
	h := all[0]
	put := func(want int, key string) {
		t.Helper()
		if code, text := call(h, "PUT /consumers/jack", withKey("jack", key)); code != want {
			t.Fatalf("key %s: got %d %s, want %d", key, code, text, want)
		}
	}
	put(201, "one")
	k := h.knowledge.now
	for range 5 { // an object that changes leaves nothing of what it was
		put(200, "two")
		put(200, "three")
	}
	put(400, "key-of-c7")
	if _, err := st.Commit(t.Context(), nil, store.Op{Key: "/apisix/consumers/", Delete: true, Dir: true}); err != nil {
		t.Fatal(err)
	}
	put(201, "key-of-c7")
	_, _, rev, err := st.Get(t.Context(), "/")
	if err == nil {
		_, err = k.reach(t.Context(), rev, []string{"consumers"})
	}
	if err != nil {
		t.Fatal(err)
	}
	k.mu.Lock()
	if n, objects := k.said.Len(), len(k.dirs["consumers"].facts); n != 1 || objects > 1 {
		t.Errorf("%d facts of %d objects are remembered, want those of one", n, objects)
	}
	k.mu.Unlock()
	h.knowledge.forget(k) // as if nobody asked for some time
	if h.knowledge.now != nil {
		t.Error("all is still remembered")
	}
	if _, err := k.reach(t.Context(), 1, []string{"consumers"}); err == nil {
		t.Error("what was given up is still followed")
	}
	put(200, "key-of-c7")
}

func TestObjectsThatSayNothingAreNotRemembered(t *testing.T) {
	t.Parallel()
	k := &known{h: &Handler{prefix: "/apisix"}, seed: maphash.MakeSeed(), said: btree.NewG(32, saying.less)}
	routes := &knownDir{facts: map[string][]hashed{}}
	for _, step := range []struct {
		value string
		want  int
	}{{`{"uri":"/"}`, 0}, {`{"uri":"/","service_id":"s"}`, 1}, {`{"uri":"/","service_id":"other"}`, 1}, {`{"uri":"/"}`, 0}} {
		k.take(routes, store.KV{Key: "/apisix/routes/1", Value: []byte(step.value), Create: 1})
		if facts, objects := k.said.Len(), len(routes.facts); facts != step.want || objects != step.want {
			t.Errorf("%s: %d facts of %d objects are remembered, want %d", step.value, facts, objects, step.want)
		}
	}
}

func TestWhatCannotBeFollowedOnIsReadAgain(t *testing.T) {
	t.Parallel()
	all, direct, etcd := replicas(t, 1)
	link := etcdtest.NewLink(t, etcd.Addr())
	h := all[0]
	h.st = connect(t, link.Endpoint())
	fill(t, direct, 100)
	if code, text := call(h, "PUT /consumers/jack", withKey("jack", "one")); code != 201 {
		t.Fatal(code, text)
	}
	link.Cut()
	fill(t, direct, 200)
	rev, err := direct.Commit(t.Context(), nil, store.Op{Key: "/apisix/consumers/c7", Delete: true})
	if err != nil {
		t.Fatal(err)
	}
	c, err := store.Dial(store.Options{Endpoints: []string{etcd.Endpoint()}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Compact(t.Context(), rev); err != nil {
		t.Fatal(err)
	}
	link.Heal()
	for key, want := range map[string]int{"key-of-c150": 400, "key-of-c7": 200} {
		code, text := call(h, "PUT /consumers/jack", withKey("jack", key))
		for n := 0; code == 503 && n < 100; n++ { // the link was only just healed
			code, text = call(h, "PUT /consumers/jack", withKey("jack", key))
		}
		if code != want {
			t.Errorf("%s: got %d %s, want %d", key, code, text, want)
		}
	}
}

func TestWriteInAGroupLooksAtFewOfItsMembers(t *testing.T) {
	t.Parallel()
	const members = 3000
	compared := 0
	k := &known{h: &Handler{prefix: "/apisix"}, seed: maphash.MakeSeed(), dirs: map[string]*knownDir{}}
	k.said = btree.NewG(32, func(a, b saying) bool {
		compared++
		return a.less(b)
	})
	routes := &knownDir{facts: map[string][]hashed{}}
	put := func(name, group string, count int) {
		k.take(routes, store.KV{Key: "/apisix/routes/" + name, Create: 1,
			Value: fmt.Appendf(nil, `{"plugins":{"limit-count":{"group":%q,"count":%d,"time_window":1}}}`, group, count)})
	}
	for i := range members {
		put(fmt.Sprint("m", i), "g", 1)
		if i%10 == 0 {
			put(fmt.Sprint("o", i), fmt.Sprint("other", i), i+1)
		}
	}
	// differ are the objects that say something else of the group than that count.
	differ := func(count int) (keys []string) {
		t.Helper()
		compared = 0
		_, says := limitGroup(map[string]any{"plugins": map[string]any{"limit-count": map[string]any{"group": "g", "count": json.Number(fmt.Sprint(count)), "time_window": json.Number("1")}}})
		f := k.hash(fact{what: aGroup, value: "g", as: says})
		for s, ok := k.next(saying{hashed: hashed{about: f.about}}, f.as); ok && len(keys) < 20; s, ok = k.next(s.after(), f.as) {
			keys = append(keys, strings.TrimPrefix(s.key, "/apisix/routes/"))
		}
		if most := 200 * (len(keys) + 1); compared > most {
			t.Errorf("%d members, %d differ: %d were compared, want at most %d", members, len(keys), compared, most)
		}
		return keys
	}
	if got := differ(1); len(got) > 0 {
		t.Errorf("all agree, but %v", got)
	}
	if got := differ(2); len(got) != 20 {
		t.Errorf("%v say otherwise, want all", got)
	}
	var want []string
	for count := 2; count < 10; count++ { // some are before and some after what most say
		name := fmt.Sprint("d", count)
		put(name, "g", count)
		want = append(want, name)
		got := differ(1)
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%v say otherwise, want %v", got, want)
		}
	}
}
