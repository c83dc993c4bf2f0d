package apisix_test

import (
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/apisix"
)

func keyring(t *testing.T, keys ...string) *apisix.Keyring {
	t.Helper()
	k, err := apisix.NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func parsed(t *testing.T, v any) *apisix.Object {
	t.Helper()
	o, err := apisix.Parse([]byte(text(t, v)))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func must(t *testing.T) func(*apisix.Object, error) *apisix.Object {
	return func(o *apisix.Object, err error) *apisix.Object {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
}

// TestSealedAsAPISIXSeals holds known answers of OpenSSL's aes-128-cbc with the key
// as its own initialisation vector.
func TestSealedAsAPISIXSeals(t *testing.T) {
	for _, tc := range []struct{ key, plain, sealed string }{
		{"qeddd145sfvddff3", "---123", "iQUIFB+veGOzVzmuCUhPCQ=="},
		{"edd1c9f0985e76a2", "---a key that is longer than one block", "F8/7baL5qvTqIrpqskfgD6y4kmiG4sBFV4GjHnLXZtiRbUxRGLGZSfy/kTWa2QY6"},
	} {
		k := keyring(t, tc.key)
		sealed := must(t)(k.Seal(parsed(t, object{"key": tc.plain}), apisix.SSLKeys))
		if got := sealed.Value("key"); got != tc.sealed {
			t.Errorf("%s: got %v, want %s", tc.plain, got, tc.sealed)
		}
		if got := must(t)(k.Open(parsed(t, object{"key": tc.sealed}), apisix.SSLKeys)).Value("key"); got != tc.plain {
			t.Errorf("%s: opened to %v, want %s", tc.sealed, got, tc.plain)
		}
	}
}

func TestOnlyPrivateKeysAreSealedAndNothingElseChanges(t *testing.T) {
	k := keyring(t, apisix.DefaultKeyring[:]...)
	for _, tc := range []struct {
		place apisix.Place
		value string // with KEY where a private key is
	}{
		{apisix.SSLKeys, `{"cert":"---c","key":"KEY","keys":["KEY","$env://K","KEY"],"n":1.50}`},
		{apisix.SSLKeys, `{"ke\u0079":"KEY"}`},
		{apisix.UpstreamKeys, `{"key":"---$uri","nodes":{"b:1":1,"a:1":1},"tls":{"client_cert":"---c","client_key":"KEY"}}`},
		{apisix.InlineKeys, `{"uri":"---","upstream":{"nodes":{"b:1":1,"a:1":1},"tls":{"client_key":"KEY"}}}`},
	} {
		const secret = "-----BEGIN PRIVATE KEY-----"
		o, err := apisix.Parse([]byte(strings.ReplaceAll(tc.value, "KEY", secret)))
		if err != nil {
			t.Fatal(err)
		}
		sealed := must(t)(k.Seal(o, tc.place))
		b := sealed.Encode()
		if strings.Contains(string(b), secret) {
			t.Errorf("%s: sealed to %s", tc.value, b)
		}
		if !strings.Contains(tc.value, `"nodes"`) == strings.Contains(string(b), `"b:1":1,"a:1":1`) {
			t.Errorf("%s: the order of nodes has changed: %s", tc.value, b)
		}
		again := must(t)(k.Seal(sealed, tc.place))
		b2 := again.Encode()
		if string(b2) != string(b) {
			t.Errorf("%s: sealed twice", tc.value)
		}
		opened := must(t)(k.Open(sealed, tc.place))
		got := opened.Encode()
		want := o.Encode()
		if string(got) != string(want) {
			t.Errorf("opened to %s, want %s", got, want)
		}
	}
}

func TestKeysOfAnOlderRingOpenAndForeignOnesStay(t *testing.T) {
	const old, young = "0123456789abcdef", "0123456789abcdef0123456789abcdef"
	const secret = "-----BEGIN PRIVATE KEY-----"
	sealed := must(t)(keyring(t, old).Seal(parsed(t, object{"key": secret}), apisix.SSLKeys))
	if got := must(t)(keyring(t, young, old).Open(sealed, apisix.SSLKeys)).Value("key"); got != secret {
		t.Errorf("the second key of the ring: got %v", got)
	}
	if got := must(t)(keyring(t, young).Open(sealed, apisix.SSLKeys)).Value("key"); got != sealed.Value("key") {
		t.Errorf("a ring without the key: got %v, want it unchanged", got)
	}
	var none *apisix.Keyring
	if got := must(t)(none.Seal(parsed(t, object{"key": secret}), apisix.SSLKeys)).Value("key"); got != secret {
		t.Errorf("no keyring: got %v", got)
	}
	for _, bad := range []string{"", "short", "0123456789abcdef01234567"} {
		if _, err := apisix.NewKeyring(bad); err == nil {
			t.Errorf("key of %d bytes is accepted", len(bad))
		}
	}
}
