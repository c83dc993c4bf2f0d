package havoc_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/unilb/unilb/sim/havoc"
	"github.com/unilb/unilb/sim/stored"
	"github.com/unilb/unilb/topology"
)

var targets = map[topology.Ref]netip.AddrPort{
	"idc/bj/blue-1": netip.MustParseAddrPort("10.20.1.2:8080"), "idc/bj/blue-2": netip.MustParseAddrPort("10.20.1.3:8080"),
}

func options(seed uint64) havoc.Options {
	return havoc.Options{
		Seed: seed, Edits: 800, Targets: targets, Spared: "bj/az1/l7-1",
		Gateways: []topology.Ref{"bj/az1/l7-1", "bj/az1/l7-2", "bj/az1/l7-3"}, Members: []topology.Ref{"e1", "e2", "e3"},
	}
}

func TestThePlanFollowsFromTheSeed(t *testing.T) {
	if a, b := havoc.New(options(7)), havoc.New(options(7)); !reflect.DeepEqual(a, b) {
		t.Error("the same seed makes two plans")
	}
	if a, b := havoc.New(options(7)), havoc.New(options(8)); reflect.DeepEqual(a.Edits, b.Edits) || reflect.DeepEqual(a.Faults, b.Faults) {
		t.Error("two seeds make the same plan")
	}
}

func TestEveryPlanHasEveryFaultInAnOrderThatCanBe(t *testing.T) {
	orders := map[string]bool{}
	for seed := range uint64(100) {
		var kinds []string
		o := options(seed)
		o.Edits = 1
		for _, f := range havoc.New(o).Faults {
			kinds = append(kinds, f.Kind)
			if (f.Kind == havoc.Restart || f.Kind == havoc.Away) && f.On[0] == "bj/az1/l7-1" {
				t.Errorf("seed %d: %s of the gateway that is spared", seed, f.Kind)
			}
		}
		at := func(kind string) int { return slices.Index(kinds, kind) }
		for _, kind := range []string{havoc.Cut, havoc.Lose, havoc.Freeze, havoc.Restart, havoc.Replace, havoc.Away, havoc.Restore} {
			if at(kind) < 0 {
				t.Errorf("seed %d: no %s in %v", seed, kind, kinds)
			}
		}
		if at(havoc.Away) > at(havoc.Restore) || at(havoc.Replace) > min(at(havoc.Away), at(havoc.Lose), at(havoc.Freeze)) {
			t.Errorf("seed %d: %v", seed, kinds)
		}
		orders[strings.Join(kinds, " ")] = true
	}
	if len(orders) < 50 {
		t.Errorf("100 seeds make %d orders", len(orders))
	}
}

// stored looks at what the store would hold after an edit alone.
func problems(e havoc.Edit) []stored.Problem {
	return stored.Check("/apisix", []stored.Object{{Key: "/apisix" + e.Key, Value: e.Bytes()}})
}

func TestGoodEditsAreGoodAndJunkIsBad(t *testing.T) {
	kinds, junk := map[string]int{}, map[string]int{}
	for seed := range uint64(2) { // checking schemas takes its time
		for i, e := range havoc.New(options(seed)).Edits {
			dir, _, _ := strings.Cut(e.Key[1:], "/")
			switch {
			case e.Junk != "":
				junk[e.Junk]++
				if len(problems(e)) == 0 && dir != "nowhere" {
					t.Errorf("seed %d, edit %d: %s to %s is taken for good: %.100s", seed, i, e.Junk, e.Key, e.Bytes())
				}
			case e.Verb == havoc.Put:
				kinds[fmt.Sprintf("%s, straight %t", dir, e.Straight)]++
				if p := problems(e); len(p) > 0 {
					t.Errorf("seed %d, edit %d: %s: %v", seed, i, e.Value, p)
				}
			}
		}
	}
	if len(kinds) != 23 || len(junk) != 6 {
		t.Errorf("got %d kinds of good edits, want 12 by each of two ways but streams by one: %v; %d kinds of junk, want 6: %v", len(kinds), kinds, len(junk), junk)
	}
}

func TestTheModelFollowsReferences(t *testing.T) {
	up := func(port int) string { return fmt.Sprintf(`{"nodes":{"10.20.1.%d:8080":1}}`, port) }
	content := map[string]string{
		"routes/r0-0":       `{"host":"h0.havoc.example","uri":"/*","upstream":` + up(2) + `}`,
		"routes/r0-1":       `{"uri":"/a/*","upstream_id":"u1"}`,
		"routes/r0-2":       `{"uri":"/a/b","status":0,"upstream":` + up(2) + `}`,
		"routes/r1-0":       `{"uri":"/*","service_id":"s1"}`,
		"routes/r1-1":       `{"uri":"/a/*","service_id":"gone"}`,
		"routes/r1-2":       `{"uri":"/a/b","upstream_id":"gone"}`,
		"routes/r2-0":       `{"uri":"/*","upstream":{"nodes":[]}}`,
		"routes/r2-1":       `{"uri":"/a/*","service_id":"s2"}`,
		"routes/r2-2":       `}{`,
		"routes/r3-0":       `{"uri":"/*","service_id":"s3"}`,
		"routes/r5-0":       `{"uri":"/*","plugin_config_id":"p1","upstream_id":"u1"}`,
		"routes/r5-1":       `{"uri":"/a/*","plugin_config_id":"gone","service_id":"gone"}`,
		"plugin_configs/p1": `{"id":"p1","plugins":{}}`,
		"services/s1":       `{"upstream_id":"u1"}`,
		"services/s2":       `{"name":"without"}`,
		"services/s3":       `{"upstream_id":"u2"}`,
		"upstreams/u1":      `{"nodes":[{"host":"10.20.1.3","port":8080,"weight":1}]}`,
		"upstreams/u2":      `{"nodes":7}`,
	}
	var objects []stored.Object
	for key, value := range content {
		objects = append(objects, stored.Object{Key: "/apisix/" + key, Value: []byte(value)})
	}
	c := havoc.Read("/apisix", objects, targets)
	for q, want := range map[havoc.Question]string{
		{"h0.havoc.example", "/"}: "[idc/bj/blue-1] 0", {"h0.havoc.example", "/a/x"}: "[idc/bj/blue-2] 0", {"h0.havoc.example", "/a/b"}: "[idc/bj/blue-2] 0",
		{"h1.havoc.example", "/"}: "[idc/bj/blue-2] 0", {"h1.havoc.example", "/a/"}: "[] 404", {"h1.havoc.example", "/a/b"}: "[] 502",
		{"h2.havoc.example", "/"}: "[] 503", {"h2.havoc.example", "/a/"}: "[] 503", {"h2.havoc.example", "/a/b"}: "not known",
		{"h5.havoc.example", "/"}: "[idc/bj/blue-2] 0", {"h5.havoc.example", "/a/"}: "[] 503",
		{"h3.havoc.example", "/"}: "not known", {"h4.havoc.example", "/"}: "[] 404",
	} {
		a, known := c.Answer(q)
		got := "not known"
		if known {
			got = fmt.Sprint(a.Backends, " ", a.Status)
		}
		if got != want {
			t.Errorf("%v: got %s, want %s", q, got, want)
		}
	}
	if want := []string{"/apisix/routes/r2-2", "/apisix/upstreams/u2"}; !slices.Equal(c.Bad(), want) {
		t.Errorf("bad: %v, want %v", c.Bad(), want)
	}
}

// The digits are those of docs/wire.md: the sum over the keys of the beginning of
// SHA-256(key, 0, value).
func TestTheHashIsThatOfTheDocs(t *testing.T) {
	c := havoc.Read("/apisix", []stored.Object{
		{Key: "/apisix/routes/1", Value: []byte(`{"uri":"/"}`)}, {Key: "/apisix/routes/", Value: []byte("init_dir")}, {Key: "/unilb/x", Value: []byte("y")},
	}, nil)
	if got, want := c.Hash(), "dfa4017409a05645"; got != want {
		t.Errorf("got %s, want %s, as printf '/apisix/routes/1\\0{\"uri\":\"/\"}' | sha256sum begins", got, want)
	}
}

func TestAPlanIsData(t *testing.T) {
	p := havoc.New(options(3))
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back havoc.Plan
	if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(p, back) {
		t.Errorf("%v; %d bytes of JSON are another plan", err, len(text))
	}
}
