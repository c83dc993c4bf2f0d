package vpc

import (
	"encoding/json"
	"errors"
	"testing"
)

// The literals are those of docs/wire.md, spelled out.
func TestWireFormsAreAsDocumented(t *testing.T) {
	for _, c := range []struct{ name, text, key string }{
		{"network", `{"name":"shop","vni":1001,"cidr":"192.168.0.0/24"}`, "/unilb/vpc/networks/shop"},
		{"port", `{"vni":1001,"ip":"192.168.0.10","mac":"02:00:00:00:00:0a","host":"bj/az1/host-1","vtep":"10.101.4.9","ifname":"g0"}`, "/unilb/vpc/ports/1001/192.168.0.10"},
		{"mapping", `{"unique_ip":"100.64.0.1","vpc":"shop","vni":1001,"vpc_ip":"192.168.0.10","mac":"02:00:00:00:00:0a","vtep":"10.101.4.9","generation":1}`, "/unilb/vpc/mappings/100.64.0.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var v interface{ Key() string }
			var err error
			switch c.name {
			case "network":
				v, err = ParseNetwork([]byte(c.text))
			case "port":
				v, err = ParsePort([]byte(c.text))
			default:
				v, err = ParseMapping([]byte(c.text))
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := json.Marshal(v); string(got) != c.text {
				t.Errorf("got %s, want %s", got, c.text)
			}
			if v.Key() != c.key {
				t.Errorf("got key %s, want %s", v.Key(), c.key)
			}
		})
	}
}

func TestInvalidObjectsNameTheirField(t *testing.T) {
	network := func(s string) error { _, err := ParseNetwork([]byte(s)); return err }
	port := func(s string) error { _, err := ParsePort([]byte(s)); return err }
	mapping := func(s string) error { _, err := ParseMapping([]byte(s)); return err }
	for _, c := range []struct {
		field string
		parse func(string) error
		text  string
	}{
		{"name", network, `{"vni":1,"cidr":"10.0.0.0/24"}`},
		{"vni", network, `{"name":"a","cidr":"10.0.0.0/24"}`},
		{"vni", network, `{"name":"a","vni":16777216,"cidr":"10.0.0.0/24"}`},
		{"cidr", network, `{"name":"a","vni":1}`},
		{"cidr", network, `{"name":"a","vni":1,"cidr":"10.0.0.1/24"}`},
		{"cidr", network, `{"name":"a","vni":1,"cidr":"10.0.0.0/30"}`},
		{"cidr", network, `{"name":"a","vni":1,"cidr":"fd00::/64"}`},
		{"ip", port, `{"vni":1,"mac":"02:00:00:00:00:0a","host":"h","vtep":"10.0.0.1","ifname":"g0"}`},
		{"mac", port, `{"vni":1,"ip":"10.0.0.2","mac":"03:00:00:00:00:0a","host":"h","vtep":"10.0.0.1","ifname":"g0"}`},
		{"mac", port, `{"vni":1,"ip":"10.0.0.2","host":"h","vtep":"10.0.0.1","ifname":"g0"}`},
		{"host", port, `{"vni":1,"ip":"10.0.0.2","mac":"02:00:00:00:00:0a","vtep":"10.0.0.1","ifname":"g0"}`},
		{"vtep", port, `{"vni":1,"ip":"10.0.0.2","mac":"02:00:00:00:00:0a","host":"h","ifname":"g0"}`},
		{"ifname", port, `{"vni":1,"ip":"10.0.0.2","mac":"02:00:00:00:00:0a","host":"h","vtep":"10.0.0.1","ifname":"sixteen-bytes-xx"}`},
		{"unique_ip", mapping, `{"vni":1}`},
		{"generation", mapping, `{"unique_ip":"100.64.0.1","vpc":"a","vni":1,"vpc_ip":"10.0.0.2","mac":"02:00:00:00:00:0a","vtep":"10.0.0.1"}`},
	} {
		var field *FieldError
		if err := c.parse(c.text); !errors.As(err, &field) || field.Field != c.field {
			t.Errorf("%s: got %v, want a complaint about %s", c.text, err, c.field)
		}
	}
}

func FuzzParseMACAgreesWithItsText(f *testing.F) {
	for _, s := range []string{"02:00:00:00:00:01", "ff:FF:ff:ff:ff:ff", "", "02-00-00-00-00-01", "02:00:00:00:00:0g"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParseMAC(s)
		if err != nil {
			return
		}
		if again, err := ParseMAC(m.String()); err != nil || again != m {
			t.Errorf("%q: got %v, %v from %s", s, again, err, m)
		}
	})
}
