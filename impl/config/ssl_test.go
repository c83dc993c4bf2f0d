package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/certs/certstest"
)

func serving(s *Snapshot, name string) string {
	if c := s.Certificates().Lookup(name); c != nil {
		return c.ID
	}
	return "-"
}

func TestCertificatesAreServedAsTheirObjectsSay(t *testing.T) {
	cert, key := certstest.JSON(t, "a")
	ssl := func(rest string) string { return fmt.Sprintf(`{"cert":%s,"key":%s,%s}`, cert, key, rest) }
	s := must(t, &Snapshot{},
		put(SSLs, "a", ssl(`"sni":"A.example"`)), put(SSLs, "star", ssl(`"snis":["*.example","*"]`)),
		put(SSLs, "off", ssl(`"sni":"off.example","status":0`)), put(SSLs, "up", ssl(`"type":"client","sni":"up.example"`)))
	if got := serving(s, "a.example") + serving(s, "off.example") + serving(s, "up.example"); got != "astarstar" {
		t.Errorf("served %s", got)
	}
	if c := s.Counts(); c.SSLs != 4 {
		t.Errorf("%d objects, want 4", c.SSLs)
	}
	s = must(t, s, put(SSLs, "a", ssl(`"sni":"b.other","client":{"ca":`+cert+`,"skip_mtls_uri_regex":["^/x"]}`)), del(SSLs, "star"))
	if got := serving(s, "a.example") + serving(s, "b.other"); got != "-a" || s.Certificates().Lookup("b.other").Client == nil {
		t.Errorf("after a change: served %s", got)
	}
	s = must(t, s, put(SSLs, "a", ssl(`"sni":"b.other","status":0`)))
	if got := serving(s, "b.other"); got != "-" {
		t.Errorf("switched off: served %s", got)
	}
}

func TestDeltaSaysWhichCertificatesAreServedNow(t *testing.T) {
	cert, key := certstest.JSON(t, "a")
	ssl := func(rest string) string { return fmt.Sprintf(`{"cert":%s,"key":%s,%s}`, cert, key, rest) }
	s := &Snapshot{}
	for _, tc := range []struct {
		how    string
		change Change
		want   string
	}{
		{"new", put(SSLs, "a", ssl(`"sni":"a.example"`)), "served"},
		{"changed", put(SSLs, "a", ssl(`"sni":"b.example"`)), "served"},
		{"refused", put(SSLs, "a", ssl(`"sni":"a.example","nope":1`)), "untouched"},
		{"switched off", put(SSLs, "a", ssl(`"sni":"a.example","status":0`)), "gone"},
		{"of a client", put(SSLs, "b", ssl(`"type":"client"`)), "gone"},
		{"deleted", del(SSLs, "a"), "gone"},
	} {
		next, d := s.Apply([]Change{tc.change})
		s = next
		got := "untouched"
		if c, ok := d.Certificates[tc.change.ID]; ok && c == nil {
			got = "gone"
		} else if ok && c == s.Certificates().Lookup("a.example") || ok && c == s.Certificates().Lookup("b.example") {
			got = "served"
		}
		if got != tc.want || len(d.Certificates) > 1 {
			t.Errorf("%s: %s, want %s; %v", tc.how, got, tc.want, d.Certificates)
		}
	}
}

func TestBadCertificateKeepsItsPreviousVersionAndIsReported(t *testing.T) {
	cert, key := certstest.JSON(t, "a")
	good := fmt.Sprintf(`{"sni":"a.example","cert":%s,"key":%s}`, cert, key)
	s := must(t, &Snapshot{}, put(SSLs, "a", good))
	_, otherKey := certstest.JSON(t, "a")
	for value, want := range map[string]string{
		strings.Replace(good, key, otherKey, 1):                                                              "private key does not match public key",
		strings.Replace(good, key, `"`+strings.Repeat("AAAA", 40)+`"`, 1):                                    "failed to decrypt previous encrypted key: no key of UNILB_KEYRING opens it",
		strings.Replace(good, `"a.example"`, `"b.example","nope":1`, 1):                                      "additional properties forbidden",
		strings.Replace(good, `{`, `{"ssl_protocols":["TLSv1.1","TLSv1.3"],`, 1):                             "without TLSv1.2",
		strings.Replace(good, `{`, `{"client":{"ca":`+cert+`,"skip_mtls_uri_regex":["("]},`, 1):              "skip_mtls_uri_regex",
		strings.Replace(good, `{`, `{"client":{"ca":"`+strings.Repeat("x", 200)+`"},`, 1):                    "failed to validate client_cert",
		strings.Replace(good, `"a.example"`, `"b.example","certs":[`+cert+`],"keys":[]`, 1):                  "mismatched number of certs and keys",
		strings.Replace(good, `"a.example"`, `"b.example","certs":[`+cert+`],"keys":[`+otherKey+`]`, 1) + "": "failed to handle cert-key pair[1]",
	} {
		next, d := s.Apply([]Change{put(SSLs, "a", value), put(SSLs, "b", strings.Replace(good, "a.example", "c.example", 1))})
		err := d.Refused["/k/4/a"]
		if err == nil || !strings.Contains(err.Error(), want) || len(d.Refused) != 1 {
			t.Errorf("%.60s: refused %v, want %s", value, d.Refused, want)
		}
		if got := serving(next, "a.example") + serving(next, "b.example") + serving(next, "c.example"); got != "a-b" {
			t.Errorf("%s: served %s, want the previous version", want, got)
		}
	}
}

func TestSealedKeysAreOpened(t *testing.T) {
	cert, key := certstest.JSON(t, "a")
	ring, _, err := apisix.ParseKeyring("")
	if err != nil {
		t.Fatal(err)
	}
	o, err := apisix.Parse([]byte(fmt.Sprintf(`{"sni":"a.example","cert":%s,"key":%s}`, cert, key)))
	if err != nil {
		t.Fatal(err)
	}
	if o, err = ring.Seal(o, apisix.SSLKeys); err != nil {
		t.Fatal(err)
	}
	sealed := o.Encode()
	if strings.Contains(string(sealed), "PRIVATE") {
		t.Fatalf("sealed %s", sealed)
	}
	s := must(t, Empty(ring), put(SSLs, "a", string(sealed)))
	if got := serving(s, "a.example"); got != "a" {
		t.Errorf("served %s", got)
	}
	if _, d := (&Snapshot{}).Apply([]Change{put(SSLs, "a", string(sealed))}); len(d.Refused) != 1 {
		t.Error("a sealed key is accepted without the keyring")
	}
}

func TestClientCertificateOfAnUpstreamFollowsItsObject(t *testing.T) {
	cert, key := certstest.JSON(t, "a")
	ssl := func(kind string) string {
		return fmt.Sprintf(`{"type":%q,"sni":"a.example","cert":%s,"key":%s}`, kind, cert, key)
	}
	up := func(scheme, tls string) string {
		return `{"nodes":{"10.0.0.1:443":1},"scheme":"` + scheme + `","tls":` + tls + `}`
	}
	inline := fmt.Sprintf(`{"client_cert":%s,"client_key":%s}`, cert, key)
	s := must(t, &Snapshot{}, put(SSLs, "c", ssl("client")), put(Upstreams, "1", up("https", `{"client_cert_id":"c"}`)),
		put(Routes, "ref", `{"uri":"/","upstream_id":"1"}`), put(Routes, "own", `{"uri":"/","upstream":`+up("https", inline)+`}`),
		put(Routes, "none", `{"uri":"/","upstream":`+up("http", inline)+`}`))
	resolve := func(s *Snapshot, id string) (Resolved, error) {
		r, ok := s.routes.Get(id)
		if !ok {
			t.Fatalf("no route %s", id)
		}
		return s.Resolve(r)
	}
	first, err := resolve(s, "ref")
	if err != nil || first.ClientCert == nil {
		t.Fatalf("by reference: %+v, %v", first.ClientCert, err)
	}
	if r, err := resolve(s, "own"); err != nil || r.ClientCert == nil {
		t.Errorf("inline: %+v, %v", r.ClientCert, err)
	}
	if r, err := resolve(s, "none"); err != nil || r.ClientCert != nil {
		t.Errorf("without TLS: %+v, %v", r.ClientCert, err)
	}
	same, _ := resolve(must(t, s, put(SSLs, "other", ssl("client")), put(Upstreams, "1", up("https", `{"client_cert_id":"c","verify":true}`))), "ref")
	if same.ClientCert != first.ClientCert {
		t.Error("a certificate that did not change is another one: connections would not be kept")
	}
	changed, err := resolve(must(t, s, put(SSLs, "c", ssl("client"))), "ref")
	if err != nil || changed.ClientCert == first.ClientCert {
		t.Errorf("a certificate that was written anew is the old one, %v", err)
	}
	for _, c := range []Change{del(SSLs, "c"), put(SSLs, "c", ssl("server"))} {
		var m *MissingError
		if _, err := resolve(must(t, s, c), "ref"); !errors.As(err, &m) || m.What != MissingClientCert || m.ID != "c" {
			t.Errorf("no client certificate any more: %v", err)
		}
	}
}
