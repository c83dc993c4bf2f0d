package secret_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/secret"
	"github.com/unilb/unilb/impl/secret/vaulttest"
)

// env is the environment of the tests.
func env(name string) (string, bool) {
	v, ok := map[string]string{
		"PLAIN": "in clear", "EMPTY": "", "JSON": `{"a":"of a","a/b":"of a/b","n":7,"o":{"x":"y"}}`, "TOKEN": vaulttest.Token + "\n", "UNILB_KEYRING": "0123456789abcdef",
	}[name]
	return v, ok
}

// resolver is one that runs, with what it has told.
type resolver struct {
	*secret.Resolver
	t    *testing.T
	told chan []string
}

func run(t *testing.T, change ...func(*secret.Options)) *resolver {
	t.Helper()
	r := &resolver{t: t, told: make(chan []string, 1000)}
	o := secret.Options{Refresh: 10 * time.Millisecond, Env: env, Changed: func(users []string) { r.told <- users }}
	for _, f := range change {
		f(&o)
	}
	r.Resolver = secret.New(o)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { r.Run(ctx) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	return r
}

func (r *resolver) manage(id string, value []byte) []string {
	r.t.Helper()
	users, err := r.Manage(id, value)
	if err != nil {
		r.t.Fatal(err)
	}
	return users
}

// says is what a reference stands for, or the reason in brackets.
func (r *resolver) says(ref string) string {
	v, err := r.Lookup(ref)
	if err != nil {
		return "[" + err.Error() + "]"
	}
	return v
}

// comes waits until a reference stands for something.
func (r *resolver) comes(ref, want string) {
	r.t.Helper()
	for limit := time.After(20 * time.Second); ; {
		if strings.Contains(r.says(ref), want) {
			return
		}
		select {
		case <-r.told:
		case <-limit:
			r.t.Fatalf("%s: got %s, want %s", ref, r.says(ref), want)
		}
	}
}

func (r *resolver) settled() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	if err := r.Settled(ctx); err != nil {
		r.t.Fatal(err)
	}
}

func TestVariablesOfTheEnvironmentAreLookedUp(t *testing.T) {
	t.Parallel()
	r := secret.New(secret.Options{Env: env})
	for ref, want := range map[string]string{
		"$env://PLAIN":         "in clear",
		"$ENV://PLAIN":         "in clear",
		"$env://PLAIN/":        "in clear",
		"$env://EMPTY":         "",
		"$env://JSON/a":        "of a",
		"$env://JSON/a/b":      "of a/b",
		"$env://JSON/n":        `[environment variable JSON: it has no text under the key "n"]`,
		"$env://JSON/o":        `[environment variable JSON: it has no text under the key "o"]`,
		"$env://JSON/x":        `[environment variable JSON: it has no text under the key "x"]`,
		"$env://PLAIN/a":       "[environment variable PLAIN: it is no JSON object]",
		"$env://NOT_SET":       "[environment variable NOT_SET: it is not set]",
		"$env://":              "[the reference names no environment variable]",
		"$env://UNILB_KEYRING": "[environment variable UNILB_KEYRING: it is the gateway's own]",
		"$ENV://UNILB_KEYRING": "[environment variable UNILB_KEYRING: it is the gateway's own]",
	} {
		got, err := r.Lookup(ref)
		if err != nil {
			got = "[" + err.Error() + "]"
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", ref, got, want)
		}
	}
}

func TestReferencesThatCannotBeResolvedSayWhy(t *testing.T) {
	t.Parallel()
	v := vaulttest.Start(t)
	v.Put("kv/shop/tls", map[string]any{"key": "of version 1", "n": 7})
	r := run(t)
	r.manage("vault/1", v.Manager("kv"))
	r.manage("aws/1", []byte(`{"access_key_id":"a","secret_access_key":"b"}`))
	want := map[string]string{
		"$secret://vault/1/shop/tls/key":                             "of version 1",
		"$secret://vault/1/shop/tls/other":                           "[secret vault/1/shop/tls/other: it has no text under this key]",
		"$secret://vault/1/shop/tls/n":                               "[secret vault/1/shop/tls/n: it has no text under this key]",
		"$secret://vault/1/nowhere/key":                              "[secret vault/1/nowhere/key: its manager has nothing there (status 404)]",
		"$secret://vault/2/shop/tls/key":                             "[secret vault/2/shop/tls/key: there is no manager vault/2]",
		"$secret://vault/1/key":                                      "[secret vault/1/key: want $secret://vault/<id>/<path>/<key>]",
		"$secret://vault/1/../sys/key":                               "[secret vault/1/../sys/key: want $secret://vault/<id>/<path>/<key>]",
		"$secret://vault/1/shop//key":                                "[secret vault/1/shop//key: want $secret://vault/<id>/<path>/<key>]",
		"$secret://aws/1/shop/key":                                   "[secret aws/1/shop/key: managers of the kind aws are not supported by this gateway yet]",
		"$secret://safe/1/shop/key":                                  "[secret safe/1/shop/key: there is no such kind of manager]",
		"$secret://vault/1/" + strings.Repeat("a/", 600) + "key":     "more than 1024 bytes",
		"$secret://vault/1/" + strings.Repeat("a", 100) + "/b?c#d/e": "status 404",
	}
	var refs []string
	for ref := range want {
		refs = append(refs, ref)
	}
	r.Use("everything", refs)
	r.settled()
	for ref, text := range want {
		if got := r.says(ref); got != text && !strings.Contains(got, text) {
			t.Errorf("%s: got %s, want %s", ref, got, text)
		}
	}
}
