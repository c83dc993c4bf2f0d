package lbc

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/vpc"
)

var update = flag.Bool("update", false, "write the golden parts of testdata anew")

// parsePath reads a resource path such as load-balancers/shop/listeners/web.
func parsePath(t *testing.T, path string) ref {
	t.Helper()
	parts := strings.Split(path, "/")
	r := ref{kind: parts[len(parts)-2]}
	for i := 1; i < len(parts); i += 2 {
		r.names[i/2] = parts[i]
	}
	if r.String() != path {
		t.Fatalf("%s is not the path of a resource", path)
	}
	return r
}

// inputs reads the in/ files of an archive as keys of etcd.
func inputs(t *testing.T, a *txtar.Archive) (kvs []store.KV, zones map[string]string) {
	t.Helper()
	for _, f := range a.Files {
		path, ok := strings.CutPrefix(f.Name, "in/")
		switch {
		case !ok:
		case path == "zones":
			if err := json.Unmarshal(f.Data, &zones); err != nil {
				t.Fatal(err)
			}
		case strings.HasPrefix(path, "addresses/"):
			kvs = append(kvs, store.KV{Key: statePrefix + path, Value: f.Data, Mod: 1})
		default:
			r := parsePath(t, path)
			o, err := decodeObject(r, f.Data)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			kvs = append(kvs, store.KV{Key: r.key(), Value: encode(r.key(), o).Value, Mod: 1})
		}
	}
	return kvs, zones
}

func compileKVs(t *testing.T, kvs []store.KV, zones map[string]string) Output {
	t.Helper()
	pool, _ := vpc.NewPool(netip.MustParsePrefix("100.64.0.0/10"))
	m := newModel(pool)
	for _, kv := range kvs {
		if err := m.put(kv); err != nil {
			t.Fatalf("%s: %v", kv.Key, err)
		}
	}
	return Compile(m, zones)
}

func golden(out Output) []txtar.File {
	var files []txtar.File
	add := func(list []Object) {
		for _, o := range list {
			var b bytes.Buffer
			_ = json.Indent(&b, o.Value, "", "  ")
			b.WriteByte('\n')
			files = append(files, txtar.File{Name: "out" + o.Key, Data: b.Bytes()})
		}
	}
	for _, list := range [][]Object{out.Mappings, out.Upstreams, out.Services, out.Routes, out.Listeners, out.VIPs} {
		add(list)
	}
	var missing strings.Builder
	for _, o := range out.Missing {
		missing.WriteString(o.String() + "\n")
	}
	if missing.Len() > 0 {
		files = append(files, txtar.File{Name: "out/missing", Data: []byte(missing.String())})
	}
	return files
}

func TestCompileIsAsRecorded(t *testing.T) {
	paths, err := filepath.Glob("testdata/compile/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			kvs, zones := inputs(t, a)
			out := compileKVs(t, kvs, zones)
			got := *a
			got.Files = nil
			for _, f := range a.Files {
				if strings.HasPrefix(f.Name, "in/") {
					got.Files = append(got.Files, f)
				}
			}
			got.Files = append(got.Files, golden(out)...)
			if *update {
				if err := os.WriteFile(path, txtar.Format(&got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if g, w := txtar.Format(&got), txtar.Format(a); !bytes.Equal(g, w) {
				t.Errorf("differs; run with -update and look at the diff. got:\n%s", g)
			}
			acceptable(t, out)
			// The order in which the model is told must not matter.
			for seed := range uint64(5) {
				r := rand.New(rand.NewPCG(seed, 0))
				r.Shuffle(len(kvs), func(i, j int) { kvs[i], kvs[j] = kvs[j], kvs[i] })
				if again := compileKVs(t, kvs, zones); !reflect.DeepEqual(again, out) {
					t.Errorf("seed %d: another order of keys compiles to something else", seed)
				}
			}
		})
	}
}

// acceptable checks compiled objects with the Admin API's own validation, and
// what every object of ours must have.
func acceptable(t *testing.T, out Output) {
	t.Helper()
	for _, o := range out.Upstreams {
		_, id := splitKey(o.Key)
		if _, err := apisix.DecodeUpstream(id, o.Value); err != nil {
			t.Errorf("%s: %v", o.Key, err)
		}
	}
	for _, o := range out.Services {
		_, id := splitKey(o.Key)
		if _, err := apisix.DecodeService(id, o.Value); err != nil {
			t.Errorf("%s: %v", o.Key, err)
		}
	}
	for _, o := range out.Routes {
		_, id := splitKey(o.Key)
		if len(id) > 64 {
			t.Errorf("%s: the id has %d characters", o.Key, len(id))
		}
		if _, err := apisix.DecodeRoute(id, o.Value); err != nil {
			t.Errorf("%s: %v", o.Key, err)
			continue
		}
		var route struct {
			Vars [][]string `json:"vars"`
		}
		if err := json.Unmarshal(o.Value, &route); err != nil || len(route.Vars) != 2 || route.Vars[0][0] != "server_addr" || route.Vars[1][0] != "server_port" {
			t.Errorf("%s is not bound to its listener: vars %q", o.Key, route.Vars)
		}
		if !owned(o.Value) {
			t.Errorf("%s does not carry our label", o.Key)
		}
	}
}

func TestModelForgetsWhatIsDeleted(t *testing.T) {
	a, err := txtar.ParseFile("testdata/compile/vpc.txtar")
	if err != nil {
		t.Fatal(err)
	}
	kvs, _ := inputs(t, a)
	pool, _ := vpc.NewPool(netip.MustParsePrefix("100.64.0.0/10"))
	m := newModel(pool)
	for _, kv := range kvs {
		if err := m.put(kv); err != nil {
			t.Fatal(err)
		}
	}
	for _, kv := range kvs {
		if !strings.HasPrefix(kv.Key, addressPrefix) {
			m.remove(kv.Key)
		}
	}
	if len(m.lbs) != 0 || len(m.tgs) != 0 || len(m.vpcs) != 0 {
		t.Errorf("got %v, %v, %v left", maps.Keys(m.lbs), maps.Keys(m.tgs), maps.Keys(m.vpcs))
	}
	out := Compile(m, nil)
	if len(out.Routes)+len(out.Services)+len(out.Upstreams)+len(out.Listeners)+len(out.VIPs) != 0 {
		t.Errorf("got %+v of a model without tenant objects", out)
	}
}

func TestUnreadableObjectLeavesThePreviousOne(t *testing.T) {
	m := newModel(vpc.Pool{})
	key := tgRef("web").key()
	if err := m.put(store.KV{Key: key, Value: []byte(`{"id":"web","tenant":"t","targets":[]}`), Mod: 5}); err != nil {
		t.Fatal(err)
	}
	if err := m.put(store.KV{Key: key, Value: []byte(`{"id":7}`), Mod: 6}); err == nil {
		t.Error("a broken object was taken over")
	}
	if m.tgs["web"] == nil || m.mods[key] != 5 {
		t.Errorf("got %+v at %d, want the previous one at 5", m.tgs["web"], m.mods[key])
	}
	shop := ref{kindLB, [3]string{"shop"}}
	broken := shop.key()
	if err := m.put(store.KV{Key: broken, Value: []byte(`[]`), Mod: 7}); err == nil || m.has(shop) {
		t.Errorf("got %v, has %t, want an error and no load balancer", err, m.has(shop))
	}
}
