package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/store"
)

// naiveHash computes the hash of contents as docs/wire.md defines it.
func naiveHash(objects map[string]string) string {
	sum := uint64(0)
	for key, value := range objects {
		if !strings.HasSuffix(key, "/") {
			h := sha256.Sum256([]byte(key + "\x00" + value))
			sum += binary.BigEndian.Uint64(h[:8])
		}
	}
	return fmt.Sprintf("%016x", sum)
}

// hash is what the status listener says is in force below /apisix.
func (r *region) hash() string {
	r.t.Helper()
	var v struct{ Hash map[string]string }
	_, body := r.get("http://"+r.status+"/status/applied", "")
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		r.t.Fatalf("%s: %v", body, err)
	}
	return v.Hash["/apisix"]
}

func TestHashIsOfWhatIsInForce(t *testing.T) {
	r := start(t)
	want := map[string]string{}
	route := func(uri string) string { return `{"uri":"` + uri + `","upstream":{"nodes":{"127.0.0.1:1":1}}}` }
	check := func(what string) {
		t.Helper()
		if got := r.hash(); got != naiveHash(want) {
			t.Errorf("%s: got %s, want %s", what, got, naiveHash(want))
		}
	}
	put := func(what, key, value string, counts bool) {
		t.Helper()
		r.put("/apisix", key, value)
		if counts {
			want["/apisix/"+key] = value
		}
		if value == "" {
			delete(want, "/apisix/"+key)
		}
		check(what)
	}
	check("an empty directory")
	put("a placeholder", "routes/", "init_dir", true)
	put("a route", "routes/1", route("/1"), true)
	put("another", "routes/2", route("/2"), true)
	put("a kind that the gateway does not know", "elsewhere/x/y/1", `no JSON`, true)
	put("and again", "elsewhere/x/y/1", `still no JSON`, true)
	put("a changed route", "routes/1", route("/changed"), true)
	put("a refused change", "routes/1", `{"uri":7}`, false)
	put("a new object that is refused", "routes/bad", `{"uri":7}`, false)
	put("a deletion", "routes/2", "", true)
	h := r.hash()
	f := r.scrape()
	var top int64
	if _, err := fmt.Sscanf(h[:12], "%x", &top); err != nil || value(f, "unilb_config_hash", "prefix", "/apisix") != float64(top) {
		t.Errorf("the metric is %v, want %v, %v", value(f, "unilb_config_hash", "prefix", "/apisix"), float64(top), err)
	}
	r.comesTrue("the report in etcd has it", func() bool {
		kv, ok, _, err := r.st.Get(t.Context(), node.ReportKey("l7gw", "test/gw"))
		return err == nil && ok && strings.Contains(string(kv.Value), `"/apisix":"`+h+`"`)
	})
}

// However contents come to be, in steps or all at once, the hash is the same, and so is what
// a gateway would begin with.
func TestHashIsThatOfTheContentsAfterAnyBatches(t *testing.T) {
	t.Run("with resets", func(t *testing.T) { applyRandomBatches(t, true) })
	t.Run("without", func(t *testing.T) { applyRandomBatches(t, false) })
}

func applyRandomBatches(t *testing.T, resets bool) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	g, err := build(Options{Prefix: "/apisix", StateDir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer g.close()
	there := map[string]string{} // in etcd
	create := map[string]int64{}
	want := map[string]string{} // in force
	good := map[string]string{
		"routes": `{"uri":"/%d","upstream":{"nodes":{"127.0.0.1:1":1}}}`, "upstreams": `{"desc":"%d","nodes":{"127.0.0.1:1":1}}`,
		"elsewhere": `%d`, "global_rules": `{"id":"%d","plugins":{}}`,
	}
	for step := range 300 {
		b := store.Batch{Revision: int64(step + 1), Reset: resets && random.IntN(5) == 0}
		touched := map[string]bool{}
		for range random.IntN(6) {
			dir := []string{"routes", "upstreams", "elsewhere", "global_rules"}[random.IntN(4)]
			key := fmt.Sprintf("/apisix/%s/%d", dir, random.IntN(8))
			if touched[key] {
				continue
			}
			touched[key] = true
			if _, ok := there[key]; ok && random.IntN(3) == 0 {
				delete(there, key)
				delete(want, key)
				b.Deletes = append(b.Deletes, key)
				continue
			}
			if there[key] == "" || random.IntN(4) == 0 { // deleted and put again, and nobody says so
				create[key] = int64(step + 1)
				delete(want, key)
			}
			there[key] = fmt.Sprintf(good[dir], step)
			refused := random.IntN(4) == 0 && dir != "elsewhere"
			if refused {
				there[key] = fmt.Sprintf("no object %d", step)
			} else {
				want[key] = there[key]
			}
			b.Puts = append(b.Puts, store.KV{Key: key, Value: []byte(there[key]), Create: create[key], Mod: int64(step + 1)})
		}
		if b.Reset { // everything that is there, in no order, and some is gone that nobody tells
			for key := range there {
				if random.IntN(8) == 0 {
					delete(there, key)
					delete(want, key)
				}
			}
			b.Puts, b.Deletes = nil, nil
			for key, value := range maps.All(there) {
				b.Puts = append(b.Puts, store.KV{Key: key, Value: []byte(value), Create: create[key], Mod: int64(step + 1)})
			}
		}
		g.last.note("/apisix", b, g.config.apply("/apisix", b))
		if got := g.config.hash["/apisix"].String(); got != naiveHash(want) {
			t.Fatalf("step %d (reset %v): got %s, want %s of %v (seed %d)", step, b.Reset, got, naiveHash(want), want, seed)
		}
		for key := range g.config.refused {
			if _, ok := there[key]; !ok {
				t.Fatalf("step %d (reset %v): %s is gone and still listed as refused (seed %d)", step, b.Reset, key, seed)
			}
		}
	}
	if resets { // after one the file has no version of what is refused
		return
	}
	ended, end := context.WithCancel(t.Context())
	end()
	_ = g.last.keeper.Run(ended) // writes what is pending
	kept := map[string]string{}
	for _, kv := range g.last.of("/apisix").KVs {
		kept[kv.Key] = string(kv.Value)
	}
	if !maps.Equal(kept, want) {
		t.Errorf("on disk: got %v, want %v (seed %d)", kept, want, seed)
	}
}
