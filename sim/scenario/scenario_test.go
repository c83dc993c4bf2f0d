package scenario

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/unilb/unilb/scenarios/incidents"
	"github.com/unilb/unilb/topology"
	"github.com/unilb/unilb/topology/strict"
)

func library(name string, set []string) (*topology.Spec, error) {
	return topology.LoadLibrary(name, set...)
}

func parsed(t *testing.T, text string, seed uint64) *Scenario {
	t.Helper()
	s, err := Parse("x.yaml", []byte(text), Options{Topology: library, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryIncidentOfTheTestbedCanBeRead(t *testing.T) {
	if len(incidents.Names()) < 5 {
		t.Fatalf("got %v, want five at least", incidents.Names())
	}
	for _, name := range incidents.Names() {
		text, err := incidents.Files.ReadFile(name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if s := parsed(t, string(text), 0); s.File.Scenario != name {
			t.Errorf("%s.yaml calls itself %q", name, s.File.Scenario)
		}
	}
}

// good is a scenario that can be read; cases change one line of it.
const good = `scenario: x
about: something holds
topology: two-az
pick: {victim: "bj/*/l7-*"}
objects:
  services:
    blog: {host: blog.example, vip: idc-eip, targets: "idc/bj/*"}
    late: {host: late.example, vip: shop-eip, vpc: shop, targets: "vpc/shop/web-*", later: true}
traffic:
  blog: {to: blog, rate: 100}
steps:
- wait: {steady: {load: blog}}
- {inject: {kill: {on: $victim, process: gateway}}, as: crash}
- {wait: {recovers: {load: blog, from: crash}}, as: cost}
- publish: late
- heal: crash
checks:
- no-request-lost: {except: [{in: $victim, during: cost}], streams: [blog]}
- recovers
`

func TestMistakesAreNamedWithTheirPlaces(t *testing.T) {
	tests := []struct{ old, new, want string }{
		{"scenario: x", "scenario: X Y", `x.yaml:1:11: scenario "X Y"`},
		{"topology: two-az", "topology: two-ax", `no topology "two-ax" (did you mean "two-az"?)`},
		{"vip: idc-eip", "vip: idc-vip", `x.yaml:7:37: the topology has no vip "idc-vip" (did you mean "idc-eip"?)`},
		{"vip: idc-eip, ", "", `x.yaml:7:5: vip is missing; the topology has shop-eip, games-eip, idc-eip`},
		{"vpc: shop,", "vpc: shp,", `the topology has no vpc "shp" (did you mean "shop"?)`},
		{`targets: "idc/bj/*"`, `targets: "idc/sh/*"`, `no node of two-az is selected by "idc/sh/*"`},
		{"to: blog", "to: blgo", `x.yaml:10:14: no service "blgo" (did you mean "blog"?)`},
		{"rate: 100", "rate: 100, workers: 3", "want either rate or workers"},
		{"load: blog}}", "load: blg}}", `no load "blg" (did you mean "blog"?)`},
		{"kill: {on: $victim", "kil: {on: $victim", `unknown word "kil" in steps[1].inject (did you mean "kill"?)`},
		{"process: gateway", "prcess: gateway", `unknown key "prcess" in steps[1].inject.kill (did you mean "process"?)`},
		{"kill: {on: $victim", `kill: {on: "!"`, `selector "!"`},
		{"from: crash", "from: crush", `no step before names a fault "crush" (did you mean "crash"?)`},
		{"kill: {on: $victim", `kill: {on: "bj/az9/**"`, `no node of two-az is selected by "bj/az9/**"`},
		{"process: gateway", "process: gatway", `x.yaml:13:`},
		{"process: gateway", "process: gatway", `none of the selected nodes runs "gatway" (did you mean "gateway"?)`},
		{"kill: {on: $victim, process: gateway}", "link-down: {link: bj/az1/router--bj/az7/router}", `no link of two-az is selected by`},
		{"kill: {on: $victim, process: gateway}", "impair: {link: client/inet-1--bj/edge, loss: 0.1}", `is a link of the kernel, which cannot be impaired; give it a wire`},
		{"kill: {on: $victim, process: gateway}", "etcd-slow-disk: {on: bj/az1/etcd-e1, delay: 10ms}", "cannot be slow; say etcd: {disk: {impairable: true}}"},
		{"kill: {on: $victim, process: gateway}", "etcd-compact: {revision: 7}", `unknown key "revision"`},
		{"pick: {victim: \"bj/*/l7-*\"}", "pick: {victim: \"bj/*/l9-*\"}", `x.yaml:4:16: no node of two-az is selected by "bj/*/l9-*"`},
		{"- publish: late", "- {retarget: {service: late, to: [\"vpc/shop/web-1\"]}}", `service "late" is not published yet`},
		{"- publish: late", "- publish: blog", `service "blog" is published already`},
		{"rate: 100}", "rate: 100, later: true}", `load "blog" has not begun yet: a step start must come before`},
		{"in: $victim", "in: bj/az1/l7-9", `no node of two-az is selected by "bj/az1/l7-9"`},
		{"- heal: crash", "- heal: cost", `no step before names a fault "cost"`},
		{"- heal: crash", "- {heal: crash, publish: late}", "a step does one thing, not heal and publish"},
		{"- heal: crash", "- {heal: crash, as: mended}", "only faults, changes, series of edits and recoveries have names"},
		{"as: cost", "as: crash", `the name "crash" is given twice`},
		{"- heal: crash", "- {after: 1s}", "the step does nothing and says nothing"},
		{"publish: late", "publish: late-", `no service "late-" (did you mean "late"?)`},
		{"during: cost", "during: coast", `no step names "coast" (did you mean "cost"?)`},
		{"streams: [blog]", "streams: [log]", `no load "log" (did you mean "blog"?)`},
		{"- recovers", "- recoverz", `x.yaml:19:3: unknown word "recoverz" in checks[1] (did you mean "recovers"?)`},
		{"- heal: crash", "- exec: {on: \"bj/az1/l7-*\", run: [ls]}", `no node "bj/az1/l7-*"`},
		{"rate: 100}", "rate: 100, mix: [{method: G T}]}", `method "G T": want a token`},
		{"rate: 100}", "rate: 100, mix: [{path: x}]}", `path "x": want "/" first`},
		{"rate: 100}", "rate: 100, mix: [{header: {a: \"b\\r\\nc: d\"}}]}", `want a token, and no controls`},
		{"checks:\n- no", "chekcs:\n- no", `unknown key "chekcs"`},
	}
	for _, tt := range tests {
		if !strings.Contains(good, tt.old) {
			t.Fatalf("the scenario has no %q", tt.old)
		}
		_, err := Parse("x.yaml", []byte(strings.Replace(good, tt.old, tt.new, 1)), Options{Topology: library})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q in place of %q: got %v, want %q", tt.new, tt.old, err, tt.want)
		}
	}
	parsed(t, good, 0)
}

func TestScenariosAreToldByTheirFirstKey(t *testing.T) {
	for text, want := range map[string]bool{
		good: true, "# a comment\n\n  # another\nscenario: x\n": true, "lab: x\n": false, "": false, "# scenario: x\nlab: x\n": false, "lab: x\nscenario: y\n": false,
	} {
		if got := IsScenario([]byte(text)); got != want {
			t.Errorf("IsScenario(%q) = %t, want %t", text, got, want)
		}
	}
}

func TestAllMistakesAreNamedAtOnce(t *testing.T) {
	text := strings.NewReplacer("to: blog", "to: blgo", "publish: late", "publish: never", "during: cost", "during: coast").Replace(good)
	_, err := Parse("x.yaml", []byte(text), Options{Topology: library})
	var errs strict.Errors
	if !errors.As(err, &errs) || len(errs) != 3 {
		t.Errorf("got %v, want three problems", err)
	}
}

func TestTheSeedFixesPlanFaultsAndTraffic(t *testing.T) {
	digests := func(seed uint64) string {
		t.Helper()
		d, err := parsed(t, good, seed).Digests()
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(d)
	}
	seen := map[string]uint64{}
	for seed := range uint64(8) {
		d := digests(seed + 1)
		if again := digests(seed + 1); again != d {
			t.Errorf("seed %d: %s, and then %s", seed+1, d, again)
		}
		if other, known := seen[d]; known {
			t.Errorf("seeds %d and %d have the same digests: %s", other, seed+1, d)
		}
		seen[d] = seed + 1
	}
	if a, b := parsed(t, good, 0), parsed(t, good, 42); fmt.Sprint(a.Digests()) != fmt.Sprint(b.Digests()) {
		t.Error("without a seed the topology's is not taken")
	}
}

func TestTheNameOfAPickIsAWholeWord(t *testing.T) {
	text := strings.Replace(good, `pick: {victim: "bj/*/l7-*"}`, `pick: {v: "bj/*/l4-*", victim: "bj/az2/l7-2"}`, 1)
	if got := parsed(t, text, 1).File.Steps[1].Inject.Fault().String(); got != "kill -9 gateway on bj/az2/l7-2" {
		t.Errorf("got %q, want that $victim is not $v and ictim", got)
	}
}

func TestNobodyChangesServicesWhereThereIsNoAPI(t *testing.T) {
	text := strings.NewReplacer("topology: two-az", "topology: hello", "vip: idc-eip, ", "", "    late: {host: late.example, vip: shop-eip, vpc: shop, targets: \"vpc/shop/web-*\", later: true}\n", "",
		"- publish: late", "- {retarget: {service: blog, to: [\"idc/bj/blue-1\"]}}").Replace(good)
	_, err := Parse("x.yaml", []byte(text), Options{Topology: library})
	if err == nil || !strings.Contains(err.Error(), "the topology has no lbc-api: nobody can change a service there") {
		t.Errorf("got %v", err)
	}
}

func TestHavocNeedsAStoreThatOutlivesAMember(t *testing.T) {
	text := func(set, targets string) string {
		return fmt.Sprintf(`scenario: x
about: something holds
topology: pair
set: [%s]
objects:
  services:
    blog: {host: blog.example, targets: "idc/bj/*"}
traffic:
  blog: {to: blog, rate: 100}
steps:
- havoc: {service: blog, targets: %q, edits: 10}
- wait: {agree: {gateways: "bj/*/l7-*"}}
checks:
- no-request-lost
`, set, targets)
	}
	three := `"regions.bj.etcd.members={e1: az1, e2: az1, e3: az1}"`
	for _, c := range []struct{ text, want string }{
		{text("", "idc/bj/*"), "the first store has 1 members and 2 gateways; havoc needs 3 and 2"},
		{text(three, "client/*"), "want servers of the data centre"},
		{strings.Replace(text(three, "idc/bj/*"), "bj/*/l7-*", "idc/bj/*", 1), "idc/bj/blue-1 is no gateway"},
	} {
		if _, err := Parse("x.yaml", []byte(c.text), Options{Topology: library}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	digest := func(seed uint64) string {
		d, err := parsed(t, text(three, "idc/bj/*"), seed).Digests()
		if err != nil {
			t.Fatal(err)
		}
		return d.Faults
	}
	if one, again := digest(1), digest(1); one != again || one == digest(2) {
		t.Error("the digest of faults does not cover the havoc that the seed makes")
	}
}

func TestPicksAreNodesThatTheSelectorSelects(t *testing.T) {
	picked := map[string]bool{}
	for seed := range uint64(40) {
		s := parsed(t, good, seed+1)
		f := s.File.Steps[1].Inject.Fault().String()
		ref := topology.Ref(f[strings.LastIndexByte(f, ' ')+1:])
		if !topology.Selector("bj/*/l7-*").Match(ref) {
			t.Fatalf("seed %d: %s", seed+1, f)
		}
		picked[f] = true
	}
	if len(picked) != 4 {
		t.Errorf("40 seeds pick %d of 4 gateways", len(picked))
	}
}
