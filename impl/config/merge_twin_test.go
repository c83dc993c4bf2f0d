package config

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/apisix/plugin"
)

// TestMergeAgreesWithANaiveOne edits objects at random and compares what runs, and what
// closes, with maps that are laid over each other.
func TestMergeAgreesWithANaiveOne(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 3))
		s := &Snapshot{}
		live := map[string]map[string]any{} // by origin, the plugins
		for step := range 60 {
			kind := []Kind{Routes, PluginConfigs, Services, ConsumerGroups, Consumers, GlobalRules}[r.IntN(6)]
			id := "1"
			if kind == GlobalRules {
				id = fmt.Sprint(r.IntN(2))
			}
			key := Origin{kind, id}.String()
			if kind != Routes && r.IntN(5) == 0 {
				s = must(t, s, del(kind, id))
				delete(live, key)
			} else {
				plugins := randomPlugins(r)
				text, err := json.Marshal(plugins)
				if err != nil {
					t.Fatal(err)
				}
				s = must(t, s, put(kind, id, strings.Replace(map[Kind]string{
					Routes:        `{"uri":"/","plugin_config_id":"1","service_id":"1","upstream":` + up + `,"plugins":P}`,
					PluginConfigs: `{"id":"1","plugins":P}`, Services: `{"plugins":P}`, ConsumerGroups: `{"id":"1","plugins":P}`,
					Consumers: `{"username":"1","group_id":"1","plugins":P}`, GlobalRules: `{"id":"` + id + `","plugins":P}`,
				}[kind], "P", string(text), 1)))
				live[key] = plugins
			}
			route := s.Route("1")
			if route == nil {
				continue
			}
			for _, consumer := range []string{"", "1"} {
				got, err := s.Plugins(route, consumer)
				if want := naiveMerge(live, consumer); uses(got) != want {
					t.Fatalf("seed %d, step %d, consumer %q:\n got %s\nwant %s\n%v", seed, step, consumer, uses(got), want, live)
				}
				whole := live["plugin_configs/1"] != nil && live["services/1"] != nil && (consumer == "" || live["consumers/1"] != nil && live["consumer_groups/1"] != nil)
				if (err == nil) != whole {
					t.Fatalf("seed %d, step %d, consumer %q: %v, want an error: %v", seed, step, consumer, err, !whole)
				}
			}
			list, _ := s.Plugins(route, "")
			_, err := s.Resolve(route)
			var c *ClosedError
			var m *MissingError
			closed, missing := errors.As(err, &c), errors.As(err, &m)
			if guarded := len(s.shut) > 0 || slices.ContainsFunc(list, func(u PluginUse) bool { return u.Guards }); !missing && closed != guarded {
				t.Fatalf("seed %d, step %d: %s: resolves to %v", seed, step, uses(list), err)
			}
		}
		for key := range live {
			dir, id, _ := strings.Cut(key, "/")
			s = must(t, s, del(directories[dir], id))
		}
		if gaps, _ := s.Gaps(10); s.gapped != 0 || len(gaps) != 0 {
			t.Errorf("seed %d: without objects %d have gaps: %v", seed, s.gapped, gaps)
		}
	}
}

func randomPlugins(r *rand.Rand) map[string]any {
	out := map[string]any{}
	for name, conf := range map[string]string{
		"gzip": `{}`, "cors": `{}`, "request-id": `{}`, "prometheus": `{}`, "key-auth": `{"key":"k"}`, "csrf": `{"key":"a"}`, "redirect": `{"uri":"/"}`,
	} {
		if r.IntN(3) != 0 {
			continue
		}
		var c map[string]any
		if err := json.Unmarshal([]byte(conf), &c); err != nil {
			panic(err)
		}
		meta := map[string]any{}
		if r.IntN(4) == 0 {
			meta["disable"] = true
		}
		if r.IntN(4) == 0 {
			meta["priority"] = r.IntN(9) - 4
		}
		if len(meta) > 0 {
			c["_meta"] = meta
		}
		out[name] = c
	}
	return out
}

// naiveMerge is what runs, written as uses writes it.
func naiveMerge(live map[string]map[string]any, consumer string) string {
	from := map[string]string{} // by name, the object that counts
	for _, origin := range []string{"services/1", "plugin_configs/1", "routes/1", "consumer_groups/1", "consumers/1"} {
		late := strings.HasPrefix(origin, "consumer")
		if late && (consumer == "" || live["consumers/1"] == nil) {
			continue
		}
		for name := range live[origin] {
			if !late || name != "key-auth" {
				from[name] = origin
			}
		}
	}
	maps.DeleteFunc(from, func(name, origin string) bool { return naivelyOff(live[origin][name]) })
	global := map[string]string{}
	for name := range live["global_rules/0"] {
		global[name] = "global_rules/0"
	}
	for name := range live["global_rules/1"] {
		if _, both := global[name]; both {
			delete(global, name)
		} else {
			global[name] = "global_rules/1"
		}
	}
	maps.DeleteFunc(global, func(name, origin string) bool {
		_, own := from[name]
		return naivelyOff(live[origin][name]) || name == "prometheus" && own
	})
	var out []string
	for _, m := range []map[string]string{global, from} {
		names := slices.SortedFunc(maps.Keys(m), func(a, b string) int {
			return cmp.Or(naivePriority(b, live[m[b]][b])-naivePriority(a, live[m[a]][a]), strings.Compare(a, b))
		})
		for _, name := range names {
			late := ""
			if strings.HasPrefix(m[name], "consumer") {
				late = "!"
			}
			out = append(out, late+name+"@"+m[name])
		}
	}
	return strings.Join(out, " ")
}

func naivelyOff(conf any) bool {
	meta, _ := conf.(map[string]any)["_meta"].(map[string]any)
	return meta["disable"] == true
}

func naivePriority(name string, conf any) int {
	meta, _ := conf.(map[string]any)["_meta"].(map[string]any)
	if p, ok := meta["priority"].(int); ok {
		return p
	}
	p, _ := plugin.Lookup(name)
	return p.Priority
}
