package topology

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestAllProblemsOfAFileComeAtOnceWithTheirPlaces(t *testing.T) {
	files, err := filepath.Glob("testdata/errors/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			_, err := Load(os.DirFS("testdata/errors"), name)
			if err == nil {
				t.Fatal("no error")
			}
			golden(t, "errors/"+strings.TrimSuffix(name, ".yaml")+".txt", []byte(err.Error()+"\n"))
		})
	}
}

// base is a valid file; each test below breaks it in one way.
const base = `lab: base
regions:
  bj:
    azs:
      az1: {l4: 1, l7: 1, hosts: 1}
      az2: {l7: 1}
    etcd: {members: {e1: az1}}
    control: {l7admin: [az1], lbc-api: [az1]}
    idc:
      blue: {az: az1, cidr: 10.20.1.0/24}
vpcs:
  shop: {vni: 1001, cidr: 192.168.0.0/24}
guests:
  - {vpc: shop, name: web, ip: 192.168.0.10}
vips:
  - {name: eip, address: 203.0.113.10, path: vpc}
clients:
  - {name: inet}
`

func TestEachMistakeIsNamed(t *testing.T) {
	tests := []struct{ name, from, to, want string }{
		{"lab is a number", "lab: base", "lab: 42", `f.yaml:1:6: lab is a number, not a text; write it in quotes: "42"`},
		{"lab is missing", "lab: base\n", "", `f.yaml:1:1: lab is missing`},
		{"no clients", "clients:\n  - {name: inet}\n", "", `f.yaml:1:1: clients is missing`},
		{"empty list", "  - {name: inet}\n", "  []\n", `f.yaml:17:1: clients is empty; want at least one`},
		{"too many clients", "{name: inet}", "{name: inet, count: 300}", `f.yaml:18:25: clients[0].count is 300; at most 256`},
		{"bad name", "name: inet", "name: In_et", `f.yaml:18:12: name "In_et": want 1 to 18 of a-z, 0-9 and single dashes between them`},
		{"long name", "name: inet", "name: abcdefghijklmnopqrs", `f.yaml:18:12: name "abcdefghijklmnopqrs": want 1 to 18 of a-z, 0-9 and single dashes between them`},
		{"side of the edge", "{name: inet}", "{name: inet, at: lan}", `f.yaml:18:22: clients[0].at is "lan"; want internet`},
		{"key in region", "etcd:", "ectd:", `f.yaml:7:5: unknown key "ectd" in regions.bj (did you mean "etcd"?)`},
		{"key at top", "vpcs:", "vpcz:", `f.yaml:11:1: unknown key "vpcz" (did you mean "vpcs"?)`},
		{"far key", "l7: 1}\n    etcd", "l7: 1, flavour: 2}\n    etcd", `f.yaml:6:20: unknown key "flavour" in regions.bj.azs.az2 (known: gateway, l4, l7, hosts, nodes)`},
		{"duplicate key", "hosts: 1}", "hosts: 1, l4: 2}", `f.yaml:5:37: key "l4" is already set in line 5`},
		{"reserved region", "  bj:", "  idc:", `f.yaml:3:3: a region cannot be called "idc": names of other nodes start with it`},
		{"etcd nowhere", "{e1: az1}", "{e1: az3}", `f.yaml:7:26: no AZ "az3" in region "bj" (did you mean "az1"?)`},
		{"no etcd", "{members: {e1: az1}}", "{members: {}}", `f.yaml:7:12: region "bj" has no etcd member; add etcd: {members: {e1: az1}}`},
		{"api without admin", "l7admin: [az1], ", "", `f.yaml:8:15: lbc-api reaches l7admin by its VIP: region "bj" needs control.l7admin and an AZ with l4`},
		{"no gateway", "l7: 1, hosts: 1}\n      az2: {l7: 1}", "hosts: 1}", `f.yaml:2:1: no gateway in the lab: give an AZ l7: 1`},
		{"float", "l4: 1", "l4: 1.5", `f.yaml:5:17: regions.bj.azs.az1.l4 is 1.5; want a whole number`},
		{"negative", "l4: 1", "l4: -1", `f.yaml:5:17: regions.bj.azs.az1.l4 is -1; at least 0`},
		{"idc in underlay", "10.20.1.0/24", "10.101.0.0/22", `f.yaml:10:29: idc "blue" (10.101.0.0/22) overlaps the underlay of region "bj" (10.101.0.0/16)`},
		{"idc in unique IPs", "10.20.1.0/24", "100.127.0.0/16", `f.yaml:10:29: idc "blue" (100.127.0.0/16) overlaps the reserved unique IPs (100.64.0.0/10)`},
		{"idc in clients", "10.20.1.0/24", "198.19.0.0/24", `f.yaml:10:29: idc "blue" (198.19.0.0/24) overlaps the clients (198.18.0.0/15)`},
		{"idc too small", "cidr: 10.20.1.0/24", "cidr: 10.20.1.0/30, count: 3", `f.yaml:10:29: idc "blue": 10.20.1.0/30 has room for 2 servers (two addresses each), not 3`},
		{"idc twice", "cidr: 10.20.1.0/24}", "cidr: 10.20.1.0/24}\n      green: {az: az2, cidr: 10.20.0.0/16}", `f.yaml:11:30: idc "green" (10.20.0.0/16) overlaps idc "blue" (10.20.1.0/24)`},
		{"idc IPv6", "10.20.1.0/24", `"fd00::/64"`, `f.yaml:10:29: fd00::/64 is not IPv4; labs are IPv4 only`},
		{"vpc in unique IPs", "192.168.0.0/24", "100.64.0.0/16", `f.yaml:12:27: vpc "shop" (100.64.0.0/16) overlaps the reserved unique IPs (100.64.0.0/10)`},
		{"host bits", "192.168.0.0/24", "192.168.0.1/24", `f.yaml:12:27: 192.168.0.1/24 is an address in a network; the network is 192.168.0.0/24`},
		{"no network", "192.168.0.0/24", "192.168.0.0", `f.yaml:12:27: vpcs.shop.cidr is "192.168.0.0"; want a network such as 192.168.0.0/24`},
		{"vni too large", "vni: 1001", "vni: 16777216", `f.yaml:12:15: vpcs.shop.vni is 16777216; at most 16777215`},
		{"vni beyond 32 bits", "vni: 1001", "vni: 4294967296", `f.yaml:12:15: vpcs.shop.vni is 4294967296; want a whole number from 0 to 4294967295`},
		{"vni zero", "vni: 1001", "vni: 0", `f.yaml:12:15: vpcs.shop.vni is 0; at least 1`},
		{"guest's vpc", "vpc: shop", "vpc: shp", `f.yaml:14:11: no vpc "shp" (did you mean "shop"?)`},
		{"guest outside", "ip: 192.168.0.10", "ip: 192.168.1.10", `f.yaml:14:32: web-1 (192.168.1.10) is not in vpc "shop" (192.168.0.0/24)`},
		{"guests to the end", "ip: 192.168.0.10", "ip: 192.168.0.253, count: 3", `f.yaml:14:32: web-3 (192.168.0.255): the first two and the last address of 192.168.0.0/24 are not for guests`},
		{"guest address taken", "ip: 192.168.0.10}", "ip: 192.168.0.10}\n  - {vpc: shop, name: db, ip: 192.168.0.9, count: 2}", `f.yaml:15:31: db-2 has the address of web-1 (192.168.0.10) in vpc "shop"`},
		{"guest name taken", "ip: 192.168.0.10}", "ip: 192.168.0.10}\n  - {vpc: shop, name: web, ip: 192.168.0.20}", `f.yaml:15:23: a second guest "shop/web"; give it another name or raise the count of the first`},
		{"selector of no host", "ip: 192.168.0.10", "ip: 192.168.0.10, on: bj/az2/*", `f.yaml:14:50: "bj/az2/*" selects no host; hosts are called such as "bj/az1/host-1"`},
		{"bad selector", "ip: 192.168.0.10", "ip: 192.168.0.10, on: bj//a", `f.yaml:14:50: selector "bj//a" has an empty segment`},
		{"vip in underlay", "203.0.113.10", "10.101.4.3", `f.yaml:16:26: vip "eip" (10.101.4.3) lies in the underlay of region "bj" (10.101.0.0/16)`},
		{"vip multicast", "203.0.113.10", "224.0.0.1", `f.yaml:16:26: 224.0.0.1 is no IPv4 unicast address that hosts can have`},
		{"vip twice", "path: vpc}", "path: vpc}\n  - {name: two, address: 203.0.113.10, path: idc}", `f.yaml:17:26: vip "two" has the address of "eip" (203.0.113.10)`},
		{"vip region", "path: vpc}", "path: vpc, region: sh}", `f.yaml:16:59: no region "sh" (known: bj)`},
		{"vip path", "path: vpc}", "path: admin}", `f.yaml:16:46: vips[0].path is "admin"; want vpc or idc`},
		{"wire of one", "    idc:", "    wires: {az1: {delay: 1ms}}\n    idc:", `f.yaml:9:13: wire "az1": want two AZs, such as az1--az2`},
		{"wire nowhere", "    idc:", "    wires: {az1--az3: {delay: 1ms}}\n    idc:", `f.yaml:9:13: no AZ "az3" in region "bj" (did you mean "az1"?)`},
		{"wire without unit", "    idc:", "    wires: {az1--az2: {delay: 1}}\n    idc:", `f.yaml:9:31: regions.bj.wires.az1--az2.delay is "1"; want a time with its unit, such as 500us or 1ms`},
		{"wire too slow", "    idc:", "    wires: {az1--az2: {delay: 11s}}\n    idc:", `f.yaml:9:31: regions.bj.wires.az1--az2.delay is 11s; want 0s to 10s`},
		{"mtu", "regions:", "defaults: {wire: {mtu: 9000}}\nregions:", `f.yaml:2:24: the underlay's mtu is 9000; it must be 1600: inner packets of 1550 bytes and 50 bytes of VXLAN`},
	}
	if _, err := Parse("f.yaml", []byte(base)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(base, tt.from) {
				t.Fatalf("%q is not in the base file", tt.from)
			}
			_, err := Parse("f.yaml", []byte(strings.Replace(base, tt.from, tt.to, 1)))
			var errs Errors
			if !errors.As(err, &errs) || !slices.ContainsFunc(errs, func(e Error) bool { return e.Error() == tt.want }) {
				t.Errorf("got:\n%v\nwant:\n%s", err, tt.want)
			}
		})
	}
}

func TestAMisspeltKeyIsNotAlsoMissing(t *testing.T) {
	_, err := Parse("f.yaml", []byte(strings.Replace(base, "cidr: 192", "cdir: 192", 1)))
	if want := `f.yaml:12:21: unknown key "cdir" in vpcs.shop (did you mean "cidr"?)`; err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

func TestAnUnreadableValueCausesNoSecondComplaint(t *testing.T) {
	for _, tt := range []struct{ from, to, want string }{
		{"l4: 1", "l4: 1.5", `f.yaml:5:17: regions.bj.azs.az1.l4 is 1.5; want a whole number`},
		{"hosts: 1", "hosts: yes", `f.yaml:5:34: regions.bj.azs.az1.hosts is "yes"; want a number`},
		{"cidr: 192.168.0.0/24", "cidr: 192.168.0/24", `f.yaml:12:27: vpcs.shop.cidr is "192.168.0/24"; want a network such as 192.168.0.0/24`},
		{"{e1: az1}", "[az1]", `f.yaml:7:21: regions.bj.etcd.members is a list; want a mapping`},
		{"{l4: 1, l7: 1, hosts: 1}", "1", `f.yaml:5:12: regions.bj.azs.az1 is "1"; want a mapping`},
	} {
		_, err := Parse("f.yaml", []byte(strings.Replace(base, tt.from, tt.to, 1)))
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: got:\n%v\nwant:\n%s", tt.to, err, tt.want)
		}
	}
}

func TestFileThatIsNoTopologyIsRefused(t *testing.T) {
	for src, want := range map[string]string{
		"":                          `f.yaml: empty; a topology starts with "lab: <name>"`,
		"# nothing\n":               `f.yaml: empty; a topology starts with "lab: <name>"`,
		"hello":                     `f.yaml:1:1: a text; a topology is a mapping that starts with "lab: <name>"`,
		"- a":                       `f.yaml:1:1: a list; a topology is a mapping that starts with "lab: <name>"`,
		"lab: [a":                   `f.yaml:1:6: sequence end token ']' not found`,
		"lab: a\n---\nlab: b":       `f.yaml:3:1: a second document; a file holds one topology`,
		"lab: &x a":                 `f.yaml:1:6: anchors and aliases are not used in topology files; write it out`,
		"lab: !!str a":              `f.yaml:1:6: tags and directives are not used in topology files`,
		"? lab : a":                 `f.yaml:1:1: "?" keys are not used in topology files`,
		"\xff":                      `f.yaml: not UTF-8 text`,
		strings.Repeat("[", 9000):   `f.yaml:1:17: nested more than 16 deep`,
		strings.Repeat("- ", 9000):  `f.yaml:1:33: nested more than 16 deep`,
		strings.Repeat("a", 66<<10): `f.yaml: 67584 bytes; a topology has at most 65536`,
	} {
		_, err := Parse("f.yaml", []byte(src))
		if err == nil || err.Error() != want {
			t.Errorf("Parse(%.20q) = %v, want %s", src, err, want)
		}
	}
}

func TestLoadTellsAMissingFileFromABadOne(t *testing.T) {
	_, err := Load(fstest.MapFS{}, "gone.yaml")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
	if _, err = LoadLibrary("two-as"); err == nil || err.Error() != `no topology "two-as" (did you mean "two-az"?)` {
		t.Errorf("got %v", err)
	}
	_, err = Load(fstest.MapFS{"x/f.yaml": {Data: []byte("lab: 1")}}, "x/f.yaml")
	var one Error
	if !errors.As(err, &one) || one.File != "x/f.yaml" || one.Line != 1 {
		t.Errorf("got %v, want an Error with its place", err)
	}
}
