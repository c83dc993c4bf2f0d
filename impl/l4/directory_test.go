package l4

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/store"
)

func vipKV(address, pool string, port int) store.KV {
	return store.KV{Key: VIPPrefix + address, Value: fmt.Appendf(nil, `{"address":%q,"pool":%q,"ports":[{"port":%d,"protocol":"tcp"}]}`, address, pool, port)}
}

func memberKV(kind, name, member, underlay, state string) store.KV {
	return store.KV{Key: node.RegistryKey(kind, name), Value: fmt.Appendf(nil,
		`{"name":%q,"kind":%q,"region":"bj","zone":"az1","underlay":%q,"member":%q,"status":"http://%s:9092","watches":[],"state":%q}`,
		name, kind, underlay, member, underlay, state)}
}

// resolved describes what a directory has in force, and what it refuses.
func resolved(d *directory) string {
	vips, members, refused := d.resolve()
	var out []string
	for _, v := range vips {
		out = append(out, fmt.Sprintf("%s:%d", v.Addr, v.Ports[0].Port))
	}
	for _, m := range members {
		s := m.Name
		if m.Leaving {
			s += "/leaving"
		}
		out = append(out, s+"="+m.Addr.String()+"@"+m.VTEP.String())
	}
	for _, key := range slices.Sorted(maps.Keys(refused)) {
		out = append(out, "!"+key[strings.LastIndexByte(key, '/')+1:])
	}
	return strings.Join(out, " ")
}

func TestDirectoryKeepsTheLastValidVersion(t *testing.T) {
	d := newDirectory("10.0.0.9")
	vip := func(b store.Batch) { d.takeVIPs(b) }
	reg := func(b store.Batch) { d.takeRegistrations(b) }
	broken := func(kv store.KV) store.KV { kv.Value = []byte("{"); return kv }
	a := memberKV("l7gw", "a", "100.127.0.1", "10.0.0.1", "active")
	for _, s := range []struct {
		name string
		do   func()
		want string
	}{
		{"empty", func() {}, ""},
		{"first batch", func() {
			vip(store.Batch{Reset: true, Puts: []store.KV{vipKV("203.0.113.1", "l7gw", 80), {Key: "/unilb/l4/other", Value: []byte("x")}}})
		}, "203.0.113.1:80"},
		{"members; others are not ours", func() {
			reg(store.Batch{Reset: true, Puts: []store.KV{a, memberKV("lbc-agent", "a", "100.127.0.1", "10.0.0.1", "active"),
				{Key: node.RegistryKey("host", "h"), Value: []byte("{")}}})
		}, "203.0.113.1:80 a=100.127.0.1@10.0.0.1"},
		{"invalid version is refused, the old one stays", func() {
			reg(store.Batch{Puts: []store.KV{broken(a)}})
			vip(store.Batch{Puts: []store.KV{broken(vipKV("203.0.113.1", "l7gw", 0))}})
		}, "203.0.113.1:80 a=100.127.0.1@10.0.0.1 !203.0.113.1 !a"},
		{"valid again", func() {
			reg(store.Batch{Puts: []store.KV{memberKV("l7gw", "a", "100.127.0.1", "10.0.0.1", "draining")}})
			vip(store.Batch{Puts: []store.KV{vipKV("203.0.113.1", "l7gw", 81)}})
		}, "203.0.113.1:81 a/leaving=100.127.0.1@10.0.0.1"},
		{"own address is no VIP", func() { vip(store.Batch{Puts: []store.KV{vipKV("10.0.0.9", "l7gw", 80)}}) },
			"203.0.113.1:81 a/leaving=100.127.0.1@10.0.0.1 !10.0.0.9"},
		{"deleting takes the refusal back", func() { vip(store.Batch{Deletes: []string{VIPPrefix + "10.0.0.9"}}) },
			"203.0.113.1:81 a/leaving=100.127.0.1@10.0.0.1"},
		{"second claim of a member address is refused", func() {
			reg(store.Batch{Puts: []store.KV{memberKV("l7gw", "b", "100.127.0.1", "10.0.0.2", "active"), memberKV("l7admin", "c", "100.127.0.1", "10.0.0.1", "active")}})
		}, "203.0.113.1:81 a/leaving=100.127.0.1@10.0.0.1 c=100.127.0.1@10.0.0.1 !b"},
		{"the second takes over when the first is gone", func() { reg(store.Batch{Deletes: []string{a.Key}}) },
			"203.0.113.1:81 b=100.127.0.1@10.0.0.2 c=100.127.0.1@10.0.0.1"},
		{"member address out of range", func() {
			reg(store.Batch{Puts: []store.KV{memberKV("l7gw", "e", "192.0.2.1", "10.0.0.2", "active")}})
		}, "203.0.113.1:81 b=100.127.0.1@10.0.0.2 c=100.127.0.1@10.0.0.1 !e"},
		{"reset forgets the rest", func() { reg(store.Batch{Reset: true, Puts: []store.KV{a}}) }, "203.0.113.1:81 a=100.127.0.1@10.0.0.1"},
	} {
		s.do()
		if got := resolved(d); got != s.want {
			t.Errorf("%s:\n got %s\nwant %s", s.name, got, s.want)
		}
	}
}

func TestMemberOfRefusesWhatCannotBeProbed(t *testing.T) {
	ok := memberKV("l7gw", "a", "100.127.0.1", "10.0.0.1", "active")
	for _, c := range []struct{ name, from, to, want string }{
		{"fine", "", "", ""},
		{"no member address", `"member":"100.127.0.1",`, "", "member address"},
		{"no underlay", `"underlay":"10.0.0.1",`, "", "underlay"},
		{"IPv6 underlay", `"underlay":"10.0.0.1"`, `"underlay":"2001:db8::1"`, "underlay"},
		{"no status port", `http://10.0.0.1:9092`, `http://10.0.0.1`, "status URL"},
		{"https status", `http://10.0.0.1:9092`, `https://10.0.0.1:9092`, "status URL"},
		{"long name", `"name":"a"`, `"name":"` + strings.Repeat("n", maxNameBytes+1) + `"`, "name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := node.ParseRegistration([]byte(strings.Replace(string(ok.Value), c.from, c.to, 1)))
			if err != nil {
				t.Fatal(err)
			}
			m, isMember, err := MemberOf(r)
			if c.want == "" {
				if err != nil || !isMember || m.ProbeURL() != "http://100.127.0.1:9092/status/ready" {
					t.Errorf("got %+v %v %v", m, isMember, err)
				}
			} else if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}
