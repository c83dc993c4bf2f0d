package plugin_test

import (
	"testing"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/apisix/plugin"
)

func ring(t *testing.T, keys ...string) *apisix.Keyring {
	t.Helper()
	k, err := apisix.NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func parsed(t *testing.T, text string) *apisix.Object {
	t.Helper()
	o, err := apisix.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func encoded(t *testing.T, o *apisix.Object, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return string(o.Encode())
}

// TestSecretsOfPluginsAreSealedAsAPISIXSeals holds known answers of OpenSSL's
// aes-128-cbc with the key as its own initialisation vector.
func TestSecretsOfPluginsAreSealedAsAPISIXSeals(t *testing.T) {
	const key = "edd1c9f0985e76a2"
	for _, tc := range []struct {
		key           string
		kind          plugin.Kind
		plain, sealed string
	}{
		{key, plugin.Consumer, `{"plugins":{"basic-auth":{"password":"123456","username":"123456"}},"username":"a"}`,
			`{"plugins":{"basic-auth":{"password":"PTQvJEaPcNOXcOHeErC0XQ==","username":"123456"}},"username":"a"}`},
		{key, plugin.Consumer, `{"plugins":{"basic-auth":{"password":"bar"}}}`, `{"plugins":{"basic-auth":{"password":"77+NmbYqNfN+oLm0aX5akg=="}}}`},
		{key, plugin.Consumer, `{"plugins":{"key-auth":{"key":"auth-two"}}}`, `{"plugins":{"key-auth":{"key":"vU/ZHVJw7b0XscDJ1Fhtig=="}}}`},
		{"qeddd145sfvddff3", plugin.Consumer, `{"plugins":{"key-auth":{"key":"123"}}}`, `{"plugins":{"key-auth":{"key":"Rk7vUsHnW4K4LVuFQDQeSA=="}}}`},
		// A plugin without a schema for consumers has the same secrets there.
		{key, plugin.Consumer, `{"plugins":{"http-logger":{"auth_header":"bar"}}}`, `{"plugins":{"http-logger":{"auth_header":"77+NmbYqNfN+oLm0aX5akg=="}}}`},
		// What is secret in a consumer is none in a route.
		{key, plugin.Route, `{"plugins":{"key-auth":{"key":"bar"}}}`, `{"plugins":{"key-auth":{"key":"bar"}}}`},
		// Dotted paths; arrays on the way.
		{key, plugin.Route, `{"plugins":{"elasticsearch-logger":{"auth":{"password":"bar","username":"bar"}},"limit-count":{"redis_password":"123456"}}}`,
			`{"plugins":{"elasticsearch-logger":{"auth":{"password":"77+NmbYqNfN+oLm0aX5akg==","username":"bar"}},"limit-count":{"redis_password":"PTQvJEaPcNOXcOHeErC0XQ=="}}}`},
		{key, plugin.Route, `{"plugins":{"kafka-logger":{"brokers":[{"host":"a"},{"sasl_config":{"password":"bar"}}]}}}`,
			`{"plugins":{"kafka-logger":{"brokers":[{"host":"a"},{"sasl_config":{"password":"77+NmbYqNfN+oLm0aX5akg=="}}]}}}`},
		// References stay; so does what is no text.
		{key, plugin.Consumer, `{"plugins":{"jwt-auth":{"key":"bar","secret":"$secret://vault/1/jack/jwt"},"key-auth":{"key":"$env://KEY"}}}`,
			`{"plugins":{"jwt-auth":{"key":"bar","secret":"$secret://vault/1/jack/jwt"},"key-auth":{"key":"$env://KEY"}}}`},
		{key, plugin.Consumer, `{"plugins":{"basic-auth":{"password":[]},"hmac-auth":{"secret_key":7},"unknown":{"key":"bar"}}}`,
			`{"plugins":{"basic-auth":{"password":[]},"hmac-auth":{"secret_key":7},"unknown":{"key":"bar"}}}`},
		{key, plugin.None, `{"plugins":{"key-auth":{"key":"bar"}}}`, `{"plugins":{"key-auth":{"key":"bar"}}}`},
	} {
		k := ring(t, tc.key)
		o := parsed(t, tc.plain)
		sealed, err := k.SealMembers(o, plugin.Secrets(o.Tree(), tc.kind))
		if got := encoded(t, sealed, err); got != tc.sealed {
			t.Errorf("%s sealed:\ngot  %s\nwant %s", tc.plain, got, tc.sealed)
		}
		o = parsed(t, tc.sealed)
		opened, err := k.OpenMembers(o, plugin.Secrets(o.Tree(), tc.kind))
		if got := encoded(t, opened, err); got != tc.plain {
			t.Errorf("%s opened:\ngot  %s\nwant %s", tc.sealed, got, tc.plain)
		}
	}
}

func TestEveryKeyOfTheRingOpensAndTheFirstSeals(t *testing.T) {
	const sealed = `{"plugins":{"key-auth":{"key":"vU/ZHVJw7b0XscDJ1Fhtig=="}}}` // by the second key
	o := parsed(t, sealed)
	paths := plugin.Secrets(o.Tree(), plugin.Consumer)
	opened, err := ring(t, apisix.DefaultKeyring[:]...).OpenMembers(o, paths)
	if got, want := encoded(t, opened, err), `{"plugins":{"key-auth":{"key":"auth-two"}}}`; got != want {
		t.Errorf("opened: got %s, want %s", got, want)
	}
	// What no key opens was stored in clear.
	opened, err = ring(t, "another key here").OpenMembers(o, paths)
	if got := encoded(t, opened, err); got != sealed {
		t.Errorf("opened with another key: got %s, want %s", got, sealed)
	}
	var none *apisix.Keyring
	same, err := none.SealMembers(o, paths)
	if got := encoded(t, same, err); got != sealed {
		t.Errorf("sealed without keys: got %s, want %s", got, sealed)
	}
}
