package l4

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

func TestParseVIP(t *testing.T) {
	const ok = `{"address":"203.0.113.10","pool":"l7gw","ports":[{"port":80,"protocol":"tcp"},{"port":443,"protocol":"udp"}],"later":1}`
	for _, c := range []struct{ name, key, value, want string }{
		{"whole", "203.0.113.10", ok, ""},
		{"no ports", "203.0.113.10", `{"address":"203.0.113.10","pool":"l7admin"}`, ""},
		{"not json", "203.0.113.10", `{`, "decode"},
		{"two values", "203.0.113.10", ok + ok, "more than one value"},
		{"other key", "203.0.113.11", ok, "does not match the key"},
		{"unknown pool", "203.0.113.10", `{"address":"203.0.113.10","pool":"web"}`, "want l7gw or l7admin"},
		{"port 0", "203.0.113.10", `{"address":"203.0.113.10","pool":"l7gw","ports":[{"port":0,"protocol":"tcp"}]}`, "want 1 to 65535"},
		{"port too large", "203.0.113.10", `{"address":"203.0.113.10","pool":"l7gw","ports":[{"port":65536,"protocol":"tcp"}]}`, "want 1 to 65535"},
		{"protocol", "203.0.113.10", `{"address":"203.0.113.10","pool":"l7gw","ports":[{"port":80,"protocol":"sctp"}]}`, "want tcp or udp"},
		{"IPv6", "2001:db8::1", `{"address":"2001:db8::1","pool":"l7gw"}`, "only IPv4"},
		{"member range", "100.127.0.9", `{"address":"100.127.0.9","pool":"l7gw"}`, "range of member addresses"},
		{"loopback", "127.0.0.1", `{"address":"127.0.0.1","pool":"l7gw"}`, "cannot be a VIP"},
		{"multicast", "224.0.0.1", `{"address":"224.0.0.1","pool":"l7gw"}`, "cannot be a VIP"},
		{"too many ports", "203.0.113.10", `{"address":"203.0.113.10","pool":"l7gw","ports":[` + strings.Repeat(`{"port":1,"protocol":"tcp"},`, maxPorts) + `{"port":2,"protocol":"tcp"}]}`, "want at most"},
		{"too long", "203.0.113.10", ok + strings.Repeat(" ", maxVIPBytes), "want at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseVIP(VIPPrefix+c.key, []byte(c.value))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
	got, _ := ParseVIP(VIPPrefix+"203.0.113.10", []byte(ok))
	want := VIP{Addr: netip.MustParseAddr("203.0.113.10"), Pool: PoolGateway, Ports: []Port{{80, TCP}, {443, UDP}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// What ParseVIP accepts is safe to forward and survives being written down.
func FuzzParseVIP(f *testing.F) {
	f.Add("203.0.113.10", `{"address":"203.0.113.10","pool":"l7gw","ports":[{"port":80,"protocol":"tcp"}]}`)
	f.Add("100.127.0.1", `{"address":"100.127.0.1","pool":"l7admin"}`)
	f.Add("::ffff:1.2.3.4", `{"address":"::ffff:1.2.3.4","pool":"l7gw"}`)
	f.Fuzz(func(t *testing.T, key, value string) {
		v, err := ParseVIP(VIPPrefix+key, []byte(value))
		if err != nil {
			return
		}
		if !v.Addr.Is4() || v.Addr.IsLoopback() || MemberRange.Contains(v.Addr) || v.Pool.String() == "" || v.Addr.String() != key {
			t.Fatalf("accepted %+v under %q", v, key)
		}
		type port struct {
			Port     uint16 `json:"port"`
			Protocol string `json:"protocol"`
		}
		w := struct {
			Address netip.Addr `json:"address"`
			Pool    string     `json:"pool"`
			Ports   []port     `json:"ports"`
		}{Address: v.Addr, Pool: v.Pool.String()}
		for _, p := range v.Ports {
			if p.Port == 0 {
				t.Fatalf("accepted port 0 in %q", value)
			}
			w.Ports = append(w.Ports, port{p.Port, p.Proto.String()})
		}
		b, err := json.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseVIP(VIPPrefix+key, b)
		if err != nil || !reflect.DeepEqual(again, v) {
			t.Fatalf("written down and read: got %+v (%v), want %+v", again, err, v)
		}
	})
}
