package apisix_test

import (
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/apisix"
)

type object map[string]any

func TestSSLErrorTexts(t *testing.T) {
	cert, key := pair(t, "a.example")
	cert2, key2 := otherKind(t, "a.example")
	garbage := func(kind string) string {
		return "-----BEGIN " + kind + "-----\n" + strings.Repeat("A", 200) + "\n-----END " + kind + "-----\n"
	}
	const inv = "invalid configuration: "
	for _, tc := range []struct {
		o    object
		want string
	}{
		{object{"cert": cert, "key": key}, inv + "then clause did not match"},
		{object{"sni": "a", "snis": []string{"a"}, "cert": cert, "key": key}, inv + "then clause did not match"},
		{object{"type": "client", "cert": cert}, inv + "else clause did not match"},
		{object{"sni": "a", "cert": cert, "key": key, "type": "both"}, inv + `property "type" validation failed: matches none of the enum values`},
		{object{"sni": "a", "cert": cert, "key": key, "nope": 1}, inv + "additional properties forbidden, found nope"},
		{object{"snis": []string{}, "cert": cert, "key": key}, inv + `property "snis" validation failed: expect array to have at least 1 items`},
		{object{"sni": "a", "cert": "short", "key": key}, inv + `property "cert" validation failed: object matches none of the required`},
		{object{"sni": "a", "cert": cert, "key": key, "ssl_protocols": []string{"SSLv3"}}, inv + `property "ssl_protocols" validation failed: failed to validate item 1: matches none of the enum values`},
		{object{"sni": "a", "cert": cert, "key": key, "client": object{"ca": cert, "depth": -1}}, inv + `property "client" validation failed: property "depth" validation failed: expected -1 to be at least 0`},
		{object{"sni": "a", "cert": garbage("CERTIFICATE"), "key": key}, "failed to parse cert: x509: "},
		{object{"sni": "a", "cert": strings.Repeat("no PEM ", 30), "key": key}, "failed to parse cert: PEM holds no certificate"},
		{object{"sni": "a", "cert": cert, "key": garbage("PRIVATE KEY")}, "failed to parse key: tls: "},
		{object{"sni": "a", "cert": cert, "key": key2}, "failed to parse key: tls: private key type does not match public key type"},
		{object{"sni": "a", "cert": cert, "key": strings.Repeat("sealed by somebody else ", 5)}, "failed to decrypt previous encrypted key"},
		{object{"sni": "a", "cert": cert, "key": key, "certs": []string{cert}, "keys": []string{}}, "mismatched number of certs and keys"},
		{object{"sni": "a", "cert": cert, "key": key, "certs": []string{cert2, cert}, "keys": []string{key2, key2}}, "failed to handle cert-key pair[2]: failed to parse key: "},
		{object{"sni": "a", "cert": cert, "key": key, "client": object{"ca": garbage("CERTIFICATE")}}, "failed to validate client_cert: failed to parse cert: "},
	} {
		o, err := apisix.Parse([]byte(text(t, tc.o)))
		if err != nil {
			t.Fatal(err)
		}
		err = o.CheckSSL()
		_, derr := apisix.DecodeSSL("1", []byte(text(t, tc.o)))
		if err == nil || !strings.HasPrefix(err.Error(), tc.want) || derr == nil || derr.Error() != err.Error() {
			t.Errorf("%.90s:\ngot  %v, decoded %v\nwant %s", text(t, tc.o), err, derr, tc.want)
		}
	}
}

func TestDecodeSSL(t *testing.T) {
	cert, key := pair(t, "a.example")
	cert2, key2 := otherKind(t, "a.example")
	s, err := apisix.DecodeSSL("7", []byte(text(t, object{
		"id": 7, "snis": []string{"a.example", "*.b.example"}, "cert": cert + cert2, "key": key, "certs": []string{cert2}, "keys": []string{key2},
		"client": object{"ca": cert + cert2, "skip_mtls_uri_regex": []string{"^/open"}}, "ssl_protocols": []string{"TLSv1.3"}, "status": 0, "labels": object{"a": "b"},
	})))
	if err != nil {
		t.Fatal(err)
	}
	if s.ID != "7" || s.Type != "server" || len(s.Names) != 2 || s.Enabled() || s.Protocols[0] != "TLSv1.3" {
		t.Errorf("got %+v", s)
	}
	if len(s.Pairs) != 2 || len(s.Pairs[0].Certificate) != 2 || s.Pairs[1].Leaf == nil || s.Pairs[1].PrivateKey == nil {
		t.Errorf("pairs %+v", s.Pairs)
	}
	if c := s.Client; c == nil || len(c.CA) != 2 || c.Depth != 1 || c.SkipURIs[0] != "^/open" {
		t.Errorf("client %+v", c)
	}
	for value, pairs := range map[string]int{
		text(t, object{"type": "client", "cert": cert, "key": key}):                                             1,
		text(t, object{"sni": "a", "cert": "$secret://vault/1/a/cert", "key": key}):                             0,
		text(t, object{"sni": "a", "cert": cert, "key": "$env://KEY"}):                                          0,
		text(t, object{"sni": "a", "cert": "$ENV://CERT", "key": "$ENV://KEY"}):                                 0,
		text(t, object{"sni": "a", "cert": cert, "key": key, "client": object{"ca": "$env://CA"}}):              1,
		text(t, object{"sni": "a", "cert": cert, "key": key, "certs": object{}, "keys": object{}, "status": 1}): 1, // as Lua prints what is empty
	} {
		if s, err := apisix.DecodeSSL("1", []byte(value)); err != nil || len(s.Pairs) != pairs {
			t.Errorf("%.60s: got %+v, %v, want %d pairs", value, s, err, pairs)
		}
	}
}

func TestClientCertificateOfAnUpstream(t *testing.T) {
	cert, key := pair(t, "gateway")
	_, key2 := otherKind(t, "gateway")
	u, err := apisix.DecodeUpstream("1", []byte(text(t, object{"nodes": object{}, "scheme": "https", "tls": object{"client_cert": cert, "client_key": key, "verify": true}})))
	if err != nil || u.TLS.Client == nil || !u.TLS.Verify {
		t.Fatalf("got %+v, %v", u, err)
	}
	for _, o := range []object{
		{"nodes": object{}, "tls": object{"client_cert": cert, "client_key": key2}},
		{"nodes": object{}, "tls": object{"client_cert": strings.Repeat("x", 200), "client_key": key}},
	} {
		if _, err := apisix.DecodeUpstream("1", []byte(text(t, o))); err == nil || !strings.HasPrefix(err.Error(), "failed to parse ") {
			t.Errorf("got %v, want it refused", err)
		}
		_, err := apisix.DecodeRoute("1", []byte(text(t, object{"uri": "/", "upstream": o})))
		if err == nil {
			t.Error("inline: accepted")
		}
	}
}
