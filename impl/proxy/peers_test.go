package proxy

import (
	"net/netip"
	"testing"

	"github.com/unilb/unilb/impl/exchange"
)

func nets(texts ...string) (list []netip.Prefix) {
	for _, s := range texts {
		list = append(list, netip.MustParsePrefix(s))
	}
	return list
}

func TestWordsOfProxiesCountOnlyWhenTheyAreTrusted(t *testing.T) {
	said := []exchange.Field{
		{Name: "X-Forwarded-For", Value: "192.0.2.1"}, {Name: "X-Forwarded-Proto", Value: "https"}, {Name: "X-Forwarded-Host", Value: "other.example"},
		{Name: "X-Forwarded-Port", Value: "444"}, {Name: "Forwarded", Value: "for=192.0.2.1"},
	}
	type words struct{ forwardedFor, proto, host, port, forwarded string }
	own := words{"192.0.2.1, 198.51.100.7", "http", "shop.example", "80", ""}
	for name, tc := range map[string]struct {
		trusted []netip.Prefix
		said    []exchange.Field
		want    words
	}{
		"nobody is trusted":           {nil, said, own},
		"another is trusted":          {nets("203.0.113.0/24"), said, words{"198.51.100.7", "http", "shop.example", "80", ""}},
		"the peer is trusted":         {nets("203.0.113.0/24", "198.51.100.0/24"), said, words{"192.0.2.1, 198.51.100.7", "https", "other.example", "444", "for=192.0.2.1"}},
		"a trusted peer says nothing": {nets("198.51.100.7/32"), nil, words{"198.51.100.7", "http", "shop.example", "80", ""}},
		"it says the scheme alone":    {nets("198.51.100.7/32"), said[1:2], words{"198.51.100.7", "https", "shop.example", "80", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t)
			g.o.Peers.Trusted = tc.trusted
			g.put("routes/1", `{"uri":"/*","upstream":{"nodes":{"10.0.0.1:8080":1}}}`)
			s := g.Do(get("/", tc.said...)).Sent[0].Fields
			got := words{value(s, "X-Forwarded-For"), value(s, "X-Forwarded-Proto"), value(s, "X-Forwarded-Host"), value(s, "X-Forwarded-Port"), value(s, "Forwarded")}
			if got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestConditionsBelieveNobodyMoreThanTargetsAreTold(t *testing.T) {
	g := newGateway(t)
	const node = `"upstream":{"nodes":{"10.0.0.1:8080":1}}}`
	g.put("routes/1", `{"uri":"/proto","vars":[["http_x_forwarded_proto","==","https"]],`+node,
		"routes/2", `{"uri":"/for","vars":[["http_x_forwarded_for","==","192.0.2.1"]],`+node,
		"routes/3", `{"uri":"/original","vars":[["original_x_forwarded_proto","==","https"],["original_x_forwarded_for","==","192.0.2.1"]],`+node,
		"routes/4", `{"uri":"/host","vars":[["http_x_forwarded_host","==","shop.example"],["http_x_forwarded_port","==",80]],`+node)
	for i, tc := range []struct {
		trusted []netip.Prefix
		want    map[string]int
	}{
		{nil, map[string]int{"/proto": 404, "/for": 200, "/original": 200, "/host": 200}},
		{nets("203.0.113.0/24"), map[string]int{"/proto": 404, "/for": 404, "/original": 200, "/host": 200}},
		{nets("198.51.100.0/24"), map[string]int{"/proto": 200, "/for": 200, "/original": 404, "/host": 404}},
	} {
		g.o.Peers.Trusted = tc.trusted
		for path, want := range tc.want {
			a := g.Do(get(path, exchange.Field{Name: "X-Forwarded-Proto", Value: "https"}, exchange.Field{Name: "X-Forwarded-For", Value: "192.0.2.1"}, exchange.Field{Name: "X-Forwarded-Host", Value: "other"}))
			if a.Status != want {
				t.Errorf("row %d: %s: %d, want %d", i, path, a.Status, want)
			}
		}
	}
}

func TestTheClientIsWhomABelievedProxyNames(t *testing.T) {
	from := nets("198.51.100.0/24")
	for name, tc := range map[string]struct {
		peers  Peers
		fields []exchange.Field
		want   string
	}{
		"nobody is believed":       {Peers{}, []exchange.Field{{Name: "X-Real-IP", Value: "192.0.2.9"}}, "198.51.100.7:40000"},
		"another is believed":      {Peers{RealIPFrom: nets("127.0.0.1/32")}, []exchange.Field{{Name: "X-Real-IP", Value: "192.0.2.9"}}, "198.51.100.7:40000"},
		"the peer is believed":     {Peers{RealIPFrom: from}, []exchange.Field{{Name: "x-real-ip", Value: "192.0.2.9"}}, "192.0.2.9:0"},
		"with a port":              {Peers{RealIPFrom: from}, []exchange.Field{{Name: "X-Real-IP", Value: "192.0.2.9:81"}}, "192.0.2.9:81"},
		"of IPv6":                  {Peers{RealIPFrom: from}, []exchange.Field{{Name: "X-Real-IP", Value: "2001:db8::1"}}, "[2001:db8::1]:0"},
		"of IPv6 in brackets":      {Peers{RealIPFrom: from}, []exchange.Field{{Name: "X-Real-IP", Value: "[2001:db8::1]:81"}}, "[2001:db8::1]:81"},
		"of IPv4 in IPv6":          {Peers{RealIPFrom: from}, []exchange.Field{{Name: "X-Real-IP", Value: "::ffff:192.0.2.9"}}, "192.0.2.9:0"},
		"says nothing":             {Peers{RealIPFrom: from}, nil, "198.51.100.7:40000"},
		"of a zone":                {Peers{RealIPFrom: from}, []exchange.Field{{Name: "X-Real-IP", Value: "fe80::1%a"}}, "198.51.100.7:40000"},
		"of a zone, with a port":   {Peers{RealIPFrom: from}, []exchange.Field{{Name: "X-Real-IP", Value: "[fe80::1%a]:81"}}, "198.51.100.7:40000"},
		"says no address":          {Peers{RealIPFrom: from}, []exchange.Field{{Name: "X-Real-IP", Value: "somebody"}}, "198.51.100.7:40000"},
		"the last of a list":       {Peers{RealIPFrom: from, RealIPHeader: "X-Forwarded-For"}, []exchange.Field{{Name: "X-Forwarded-For", Value: "192.0.2.8, 192.0.2.9"}}, "192.0.2.9:0"},
		"the last of two lines":    {Peers{RealIPFrom: from, RealIPHeader: "X-Forwarded-For"}, []exchange.Field{{Name: "X-Forwarded-For", Value: "192.0.2.9"}, {Name: "X-Forwarded-For", Value: "192.0.2.8"}}, "192.0.2.8:0"},
		"another field is no word": {Peers{RealIPFrom: from, RealIPHeader: "X-Client"}, []exchange.Field{{Name: "X-Real-IP", Value: "192.0.2.9"}}, "198.51.100.7:40000"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &exchange.Request{Remote: client, Fields: tc.fields}
			tc.peers.Apply(r)
			if r.Remote.String() != tc.want || r.Peer != client {
				t.Errorf("client %v, peer %v, want %s", r.Remote, r.Peer, tc.want)
			}
		})
	}
}

func TestRoutesAndTargetsSeeTheClientOfABelievedProxy(t *testing.T) {
	g := newGateway(t)
	g.o.Peers.RealIPFrom = nets("198.51.100.7/32")
	g.put("routes/1", `{"uri":"/a","remote_addr":"192.0.2.9","vars":[["remote_addr","==","192.0.2.9"],["remote_port","==",""],["realip_remote_addr","==","198.51.100.7"],["realip_remote_port","==",40000]],"upstream":{"nodes":{"10.0.0.1:8080":1}}}`)
	if a := g.Do(get("/a")); a.Status != 404 {
		t.Errorf("of the proxy itself: %d, want 404", a.Status)
	}
	a := g.Do(get("/a", exchange.Field{Name: "X-Real-IP", Value: "192.0.2.9"}, exchange.Field{Name: "X-Forwarded-For", Value: "192.0.2.8"}))
	if a.Status != 200 {
		t.Fatalf("of its client: %d, want 200", a.Status)
	}
	if s := a.Sent[0].Fields; value(s, "X-Real-IP") != "192.0.2.9" || value(s, "X-Forwarded-For") != "192.0.2.8, 192.0.2.9" {
		t.Errorf("the target is told %v", s)
	}
}

func TestPeerOnALinkIsBelievedByItsAddress(t *testing.T) {
	r := &exchange.Request{Remote: netip.MustParseAddrPort("[fe80::7%eth0]:40000"), Fields: []exchange.Field{{Name: "X-Real-IP", Value: "192.0.2.9"}}}
	peers := Peers{Trusted: nets("fe80::/10"), RealIPFrom: nets("fe80::/10")}
	if peers.Apply(r); r.Forwarded != exchange.ForwardedBelieved || r.Remote.String() != "192.0.2.9:0" {
		t.Errorf("client %v, forwarded %v, want the one that the peer names, and its words believed", r.Remote, r.Forwarded)
	}
}
