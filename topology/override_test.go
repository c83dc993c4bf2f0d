package topology

import (
	"slices"
	"strings"
	"testing"
)

func TestOverrideReplacesOneValue(t *testing.T) {
	tests := []struct {
		set   string
		holds func(s *Spec) bool
	}{
		{"regions.bj.azs.az1.l7=3", func(s *Spec) bool { return s.Regions[0].AZs[0].L7 == 3 }},
		{"regions.bj.azs.az2.hosts=1", func(s *Spec) bool { return s.Regions[0].AZs[1].Hosts == 1 }},
		{"regions.bj.azs.az3={l7: 1}", func(s *Spec) bool { return s.Regions[0].AZs[2].L7 == 1 }},
		{"regions.bj.wires.az1--az2={delay: 2ms}", func(s *Spec) bool { return s.Regions[0].Wires[0].Delay.String() == "2ms" }},
		{"regions.bj.etcd.members.e2=az2", func(s *Spec) bool { return s.Regions[0].Etcd.Members[1].AZ == "az2" }},
		{"regions.bj.control.lbc-api=[]", func(s *Spec) bool { return len(s.Regions[0].Control.LBCAPI) == 0 }},
		{"regions.bj.control.l7admin[1]=az2", func(s *Spec) bool { return slices.Equal(s.Regions[0].Control.L7Admin, []string{"az1", "az2"}) }},
		{"guests[0].count=2", func(s *Spec) bool { return s.Guests[0].Count == 2 }},
		{"clients[1]={name: lan}", func(s *Spec) bool { return s.Clients[1].Name == "lan" && s.Clients[1].Count == 1 }},
		{"defaults.gateway=apisix-3", func(s *Spec) bool { return s.Defaults.Gateway == "apisix-3" }},
		{"seed=0x10", func(s *Spec) bool { return s.Seed == 16 }},
		{`lab="7"`, func(s *Spec) bool { return s.Lab == "7" }},
	}
	for _, tt := range tests {
		s, err := Parse("f.yaml", []byte(base), tt.set)
		if err != nil {
			t.Errorf("--set %s: %v", tt.set, err)
			continue
		}
		if !tt.holds(s) {
			t.Errorf("--set %s had no effect: %+v", tt.set, s)
		}
	}
}

func TestLaterOverrideWins(t *testing.T) {
	s, err := Parse("f.yaml", []byte(base), "regions.bj.azs.az1.l7=3", "regions.bj.azs.az1={l4: 1, l7: 1, hosts: 1}", "regions.bj.azs.az1.l7=5")
	if err != nil || s.Regions[0].AZs[0].L7 != 5 {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestWrongOverrideIsNamed(t *testing.T) {
	for set, want := range map[string]string{
		"seed":                        "want path=value, such as regions.bj.azs.az1.l7=1",
		"seed=":                       "seed gets no value",
		"seed=x":                      `seed is "x"; want a number`,
		"sede=1":                      `unknown key "sede" (did you mean "seed"?)`,
		"lab.x=1":                     "lab has no parts",
		"regions.bj.azs.az9.l7=1":     `no "az9" in regions.bj.azs (did you mean "az1"?); a new one is given whole: regions.bj.azs.az9={...}`,
		"regions.bj.asz.az1.l7=1":     `unknown key "asz" in regions.bj (did you mean "azs"?)`,
		"regions.bj.azs.az1.l8=1":     `unknown key "l8" in regions.bj.azs.az1 (did you mean "l4"?)`,
		"regions.bj.azs.az1.l7=100":   "regions.bj.azs.az1.l7 is 100; at most 64",
		"regions[0]=1":                "regions is no list",
		"guests[7].count=2":           "guests has 1 entries, so there is no guests[7]",
		"guests.count=2":              "guests is a list; want an index such as guests[0]",
		"guests[x].count=2":           `path "guests[x].count": an index looks like [0]`,
		"guests[0]x=2":                `path "guests[0]x": an index looks like [0]`,
		"guests[0][0]=2":              "guests[0] is no list",
		"regions..bj=2":               `path "regions..bj" has an empty part`,
		"regions.bj.azs=[":            "[ is no value: sequence end token ']' not found",
		"regions.bj.azs=&a {l7: 1}":   "&a {l7: 1} is no value: anchors and aliases are not used in topology files; write it out",
		"regions.bj.etcd.members.x=z": `no AZ "z" in region "bj" (known: az1, az2)`,
	} {
		_, err := Parse("f.yaml", []byte(base), set)
		if want = "--set " + set + ": " + want; err == nil || !slices.Contains(strings.Split(err.Error(), "\n"), want) {
			t.Errorf("got:\n%v\nwant:\n%s", err, want)
		}
	}
}
