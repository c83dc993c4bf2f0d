package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/certs/certstest"
)

func TestReferencesAreFoundWhereverTheyStandAndHoweverTheyAreWritten(t *testing.T) {
	for _, tc := range []struct {
		kind  Kind
		value string
		want  string
	}{
		{SSLs, `{"cert":"$secret://vault/1/a/c","key":"$env://K","certs":["x","$env://C2"],"keys":["$env://K","y"],"client":{"ca":"$env://CA"}}`, "$env://C2 $env://CA $env://K $secret://vault/1/a/c"},
		{SSLs, `{"cert":"\u0024env:\/\/C","k\u0065y":"$env://K"}`, "$env://C $env://K"},
		{SSLs, `{"cert":"$env:C","key":" $env://K","desc":"$env://D","labels":{"key":"$env://L"}}`, ""},
		{Upstreams, `{"tls":{"client_cert":"$env://C","client_key":"$env://K"}}`, "$env://C $env://K"},
		{Upstreams, `{"t\u006cs":{"client_cer\u0074":"$env://C"}}`, "$env://C"},
		{Routes, `{"upstream":{"tls":{"client_cert":"$env://C","client_key":"$env://K"}},"plugins":{"csrf":{"key":"$env://P"}}}`, "$env://C $env://K"},
		{Services, `{"upstream":{"tls":{"client_key":"$env://K","client_cert":"c"}}}`, "$env://K"},
		{GlobalRules, `{"upstream":{"tls":{"client_cert":"$env://C"}}}`, ""},
		{SSLs, `{"cert":"$env://C"`, ""},
	} {
		if got := strings.Join(References(Change{Kind: tc.kind, Value: []byte(tc.value)}), " "); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.value, got, tc.want)
		}
	}
	if got := References(Change{Kind: SSLs, Delete: true}); got != nil {
		t.Errorf("a deletion refers to %v", got)
	}
}

func TestObjectIsCompiledWithWhatItsReferencesStandFor(t *testing.T) {
	cert, key := certstest.PEM(t, certstest.SelfSigned(t, "a.example"))
	const value = `{"sni":"a.example","cert":"$secret://vault/1/a/cert","key":"$env://KEY"}`
	gone := errors.New("secret vault/1/a/cert: it is gone")
	for _, tc := range []struct {
		how     string
		secrets map[string]Secret
		want    string // part of the refusal; empty: it is taken
	}{
		{"both are known", map[string]Secret{"$secret://vault/1/a/cert": {Value: cert}, "$env://KEY": {Value: key}}, ""},
		{"one has no value", map[string]Secret{"$secret://vault/1/a/cert": {Err: gone}, "$env://KEY": {Value: key}}, gone.Error()},
		{"nobody has looked", nil, "$env://KEY: nobody has looked for it"},
		{"a reference for a reference", map[string]Secret{"$secret://vault/1/a/cert": {Value: "$env://CERT"}, "$env://KEY": {Value: key}}, "stands for another reference"},
		{"something else", map[string]Secret{"$secret://vault/1/a/cert": {Value: "hunter2 hunter2"}, "$env://KEY": {Value: key}}, "invalid configuration"},
		{"a key of another kind", map[string]Secret{"$secret://vault/1/a/cert": {Value: cert}, "$env://KEY": {Value: strings.Repeat("hunter2", 20)}}, "decrypt"},
	} {
		s, d := Empty(nil).Apply([]Change{{Kind: SSLs, ID: "a", Key: "/apisix/ssls/a", Value: []byte(value), Secrets: tc.secrets}})
		err := d.Refused["/apisix/ssls/a"]
		if (err == nil) != (tc.want == "") || err != nil && (!strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s: refused for %v, want %q", tc.how, err, tc.want)
		}
		if n := s.Counts().SSLs; (n == 1) != (tc.want == "") {
			t.Errorf("%s: %d objects in force", tc.how, n)
		}
	}
}

// A change that is refused for its secret leaves everything as it was, and applying it
// again with the secret costs as much as any change, whatever else there is.
func TestRefusalForASecretKeepsThePreviousVersion(t *testing.T) {
	cert, key := certstest.PEM(t, certstest.SelfSigned(t, "a.example"))
	first := fmt.Sprintf(`{"sni":"a.example","cert":%q,"key":%q}`, cert, key)
	s, _ := Empty(nil).Apply([]Change{{Kind: SSLs, ID: "a", Key: "a", Value: []byte(first)}})
	before := s.ssls
	c := Change{Kind: SSLs, ID: "a", Key: "a", Value: []byte(`{"sni":"b.example","cert":"$env://C","key":"$env://K"}`)}
	s, d := s.Apply([]Change{c})
	if d.Refused["a"] == nil || len(d.Certificates) != 0 || s.ssls != before {
		t.Errorf("refused %v, certificates %v", d.Refused, d.Certificates)
	}
	cert, key = certstest.PEM(t, certstest.SelfSigned(t, "b.example"))
	c.Secrets = map[string]Secret{"$env://C": {Value: cert}, "$env://K": {Value: key}}
	s, d = s.Apply([]Change{c})
	if ssl, _ := s.ssls.Get("a"); d.Refused["a"] != nil || !slices.Contains(d.Accepted, "a") || !slices.Equal(ssl.Names, []string{"b.example"}) {
		t.Errorf("with its secrets: refused %v, %+v", d.Refused, ssl)
	}
	if !strings.Contains(string(c.Value), "$env://C") {
		t.Error("the caller's value was changed")
	}
}

func TestBlindSnapshotTellsWhatBecomesOfRequests(t *testing.T) {
	const tls = `"scheme":"https","nodes":{"10.0.0.1:443":1},"tls"`
	s, d := Empty(nil).Blind().Apply([]Change{
		{Kind: Routes, ID: "pair", Key: "pair", Value: []byte(`{"uri":"/pair","upstream":{` + tls + `:{"client_cert":"$env://C","client_key":"$env://K"}}}`)},
		{Kind: SSLs, ID: "c", Key: "c", Value: []byte(`{"type":"client","cert":"$env://C","key":"$env://K"}`)},
		{Kind: Routes, ID: "object", Key: "object", Value: []byte(`{"uri":"/object","upstream":{` + tls + `:{"client_cert_id":"c"}}}`)},
		{Kind: SSLs, ID: "a", Key: "a", Value: []byte(`{"sni":"a.example","cert":"$env://C","key":"$env://K"}`)},
	})
	if len(d.Refused) != 1 || d.Refused["a"] == nil {
		t.Errorf("refused %v, want the certificate that nobody can be shown", d.Refused)
	}
	for _, id := range []string{"pair", "object"} {
		to, err := s.Resolve(s.Route(id))
		if err != nil || to.ClientCert != nil || len(to.Upstream.Targets) != 1 {
			t.Errorf("%s: %+v, %v", id, to, err)
		}
	}
}

// Whoever lists objects gets them as they were written.
func TestNoSecretIsKeptWithWhatIsListed(t *testing.T) {
	cert, key := certstest.PEM(t, certstest.SelfSigned(t, "a.example"))
	const up = `{"scheme":"https","nodes":{"10.0.0.1:443":1},"tls":{"client_cert":"$env://C","client_key":"$env://K"}}`
	secrets := map[string]Secret{"$env://C": {Value: cert}, "$env://K": {Value: key}}
	for kind, value := range map[Kind]string{Routes: `{"uri":"/","upstream":` + up + `}`, Services: `{"upstream":` + up + `}`, Upstreams: up} {
		s, d := Empty(nil).Apply([]Change{{Kind: kind, ID: "a", Key: "a", Value: []byte(value), Secrets: secrets}})
		if o, ok := s.Stored(kind, "a"); !ok || string(o.Value) != value || len(d.Refused) > 0 {
			t.Errorf("kind %v: refused %v, stored %s", kind, d.Refused, o.Value)
		}
	}
}
