package gateway

import (
	"fmt"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/etcdtest"
)

func TestResyncAfterCompactionRebuildsNothing(t *testing.T) {
	etcd := etcdtest.Start(t)
	link := etcdtest.NewLink(t, etcd.Addr())
	direct := openStore(t, etcd.Endpoint())
	one := backend(t, "one")
	for i := range 50 {
		commitTo(t, direct, fmt.Sprintf("/apisix/routes/%d", i), fmt.Sprintf(`{"uri":"/*","host":"h%d.example","upstream":{"nodes":{"%s":1}}}`, i, one))
	}
	r := begin(t, link.Endpoint(), EngineStd)
	r.isReady()
	r.put("/apisix", "routes/last", `{"uri":"/last","upstream":{"nodes":{"`+one+`":1}}}`)
	before, hash := r.rebuilt(), r.hash()
	if before != 51 {
		t.Errorf("%g objects were built at the start, want 51", before)
	}
	link.Cut()
	rev := commitTo(t, direct, "/elsewhere", "1")
	rev = max(rev, commitTo(t, direct, "/elsewhere", "2"))
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{etcd.Endpoint()}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Compact(t.Context(), rev, clientv3.WithCompactPhysical()); err != nil {
		t.Fatal(err)
	}
	link.Heal()
	r.await(1, "apisix_etcd_reachable")
	r.comesTrue("both directories are listed again", func() bool { return value(r.scrape(), "unilb_etcd_resyncs_total", "reason", "compacted") >= 2 })
	if got := value(r.scrape(), "unilb_etcd_resync_objects_total"); got != 0 {
		t.Errorf("%g objects differed, want none", got)
	}
	if got := r.rebuilt(); got != before {
		t.Errorf("%g objects were rebuilt, want none", got-before)
	}
	if got := r.hash(); got != hash {
		t.Errorf("the hash is %s, want %s as before", got, hash)
	}
	if status, _ := r.get("http://"+r.data+"/", "h7.example"); status != 200 {
		t.Errorf("got %d", status)
	}
}

func commitTo(t *testing.T, st *store.Store, key, value string) int64 {
	t.Helper()
	rev, err := st.Commit(t.Context(), nil, store.Op{Key: key, Value: []byte(value)})
	if err != nil {
		t.Fatal(err)
	}
	return rev
}
