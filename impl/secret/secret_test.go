package secret_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
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

func TestVaultIsAskedInTheShapeOfItsVersion(t *testing.T) {
	t.Parallel()
	v := vaulttest.StartTLS(t)
	v.Put("kv/shop/tls", map[string]any{"key": "of version 1", "data": "a key that is called so"})
	v.Put("kv/data/tls", map[string]any{"key": "of version 1, below data", "data": "called so"})
	v.Put("secret/shop/tls", map[string]any{"key": "of version 2"})
	v.Put("team secret/shop/tls", map[string]any{"key": "of a namespace"})
	roots := x509.NewCertPool()
	roots.AddCert(v.Certificate())
	r := run(t, func(o *secret.Options) { o.Roots = roots })
	r.manage("vault/1", v.Manager("/kv/"))
	r.manage("vault/2", v.Manager("secret/data"))
	r.manage("vault/deep", v.Manager("secret/data/shop"))
	r.manage("vault/root", v.Manager("secret"))
	r.manage("vault/ns", fmt.Appendf(nil, `{"uri":"%s/","prefix":"secret/data","token":"$env://TOKEN","namespace":"team"}`, v.URL))
	r.manage("vault/other", fmt.Appendf(nil, `{"uri":%q,"prefix":"kv","token":"hvs.another"}`, v.URL))
	r.manage("vault/unset", fmt.Appendf(nil, `{"uri":%q,"prefix":"kv","token":"$env://NOT_SET"}`, v.URL))
	want := map[string]string{
		"$secret://vault/1/shop/tls/key":         "of version 1",
		"$secret://vault/1/shop/tls/data":        "a key that is called so",
		"$secret://vault/1/data/tls/key":         "of version 1, below data",
		"$secret://vault/1/data/tls/data":        "called so",
		"$secret://vault/2/shop/tls/key":         "of version 2",
		"$secret://vault/deep/tls/key":           "of version 2",
		"$secret://vault/root/data/shop/tls/key": "of version 2",
		"$secret://vault/ns/shop/tls/key":        "of a namespace",
		"$secret://vault/other/shop/tls/key":     "[secret vault/other/shop/tls/key: the token of its manager may not read it (status 403)]",
		"$secret://vault/unset/shop/tls/key":     "[secret vault/unset/shop/tls/key: token of its manager: environment variable NOT_SET: it is not set]",
	}
	for ref := range want {
		r.Use(ref, []string{ref})
	}
	r.settled()
	for ref, text := range want {
		if got := r.says(ref); got != text {
			t.Errorf("%s: got %s, want %s", ref, got, text)
		}
	}
}

func TestServerThatNobodyVouchesForIsNotAsked(t *testing.T) {
	t.Parallel()
	v := vaulttest.StartTLS(t)
	r := run(t)
	r.manage("vault/1", v.Manager("kv"))
	r.Use("a", []string{"$secret://vault/1/shop/key"})
	r.comes("$secret://vault/1/shop/key", "certificate")
	if n := v.Asked(); n != 0 {
		t.Errorf("the token was sent %d times to a server that nobody vouches for", n)
	}
}

func TestValuesThatChangeAreToldToTheirUsersTogether(t *testing.T) {
	t.Parallel()
	v := vaulttest.Start(t)
	v.Put("kv/tls", map[string]any{"cert": "c1", "key": "k1"})
	v.Put("kv/quiet", map[string]any{"key": "same"})
	r := run(t)
	r.manage("vault/1", v.Manager("kv"))
	cert, key, quiet := "$secret://vault/1/tls/cert", "$secret://vault/1/tls/key", "$secret://vault/1/quiet/key"
	r.Use("one", []string{cert, key})
	r.Use("two", []string{cert})
	r.Use("three", []string{quiet})
	for seen := map[string]bool{}; len(seen) < 3; {
		for _, u := range r.next() {
			seen[u] = true
		}
	}
	for i := 2; i < 5; i++ {
		v.Put("kv/tls", map[string]any{"cert": fmt.Sprint("c", i), "key": fmt.Sprint("k", i)})
		if got := r.next(); !slices.Equal(got, []string{"one", "two"}) {
			t.Fatalf("rotation %d: told %v, want the two users", i, got)
		}
		if got := r.says(cert) + r.says(key); got != fmt.Sprintf("c%dk%d", i, i) {
			t.Errorf("rotation %d: got %s", i, got)
		}
	}
	asked := v.Asked()
	r.Use("one", nil)
	r.Use("two", nil)
	r.Use("three", nil)
	if c := r.Counts(); c.Known+c.Stale+c.Unknown != 0 {
		t.Errorf("of what nobody refers to is kept: %+v after %d questions", c, asked)
	}
}

// next is what is told next.
func (r *resolver) next() []string {
	r.t.Helper()
	select {
	case users := <-r.told:
		return users
	case <-time.After(20 * time.Second):
		r.t.Fatal("nobody is told anything")
		return nil
	}
}

// awaits waits until counts are as they should be.
func (r *resolver) awaits(what string, ok func(secret.Counts) bool) {
	r.t.Helper()
	for limit := time.Now().Add(20 * time.Second); !ok(r.Counts()); <-time.After(time.Millisecond) {
		if time.Now().After(limit) {
			r.t.Fatalf("%s: got %+v", what, r.Counts())
		}
	}
}

func TestValueStaysWhileItsManagerFailsAndIsSaidToBeStale(t *testing.T) {
	t.Parallel()
	v := vaulttest.Start(t)
	v.Put("kv/tls", map[string]any{"key": "k1"})
	r := run(t)
	r.manage("vault/1", v.Manager("kv"))
	const ref = "$secret://vault/1/tls/key"
	r.Use("one", []string{ref})
	r.comes(ref, "k1")
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusForbidden, http.StatusTeapot} {
		v.Fail(status)
		r.awaits("stale", func(c secret.Counts) bool { return c.Stale == 1 })
		if got := r.says(ref); got != "k1" {
			t.Errorf("status %d: got %s, want the value that was known", status, got)
		}
		if tr := r.Troubles(10)["vault/1/tls/key"]; !tr.Stale || !strings.Contains(tr.Err, fmt.Sprint("status ", status)) || strings.Contains(tr.Err, vaulttest.Token) {
			t.Errorf("status %d: trouble %+v", status, tr)
		}
		v.Fail(0)
		r.awaits("known", func(c secret.Counts) bool { return c.Known == 1 })
	}
	v.Put("kv/tls", nil)
	r.awaits("stale", func(c secret.Counts) bool { return c.Stale == 1 })
	v.Put("kv/tls", map[string]any{"key": "k2"})
	r.comes(ref, "k2")
}

// lines is a log that a test may read at any time.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(b []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(b) }
func (l *lines) String() string              { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

func TestLogSaysWhatStaysAsTheStatusDoes(t *testing.T) {
	t.Parallel()
	v, log := vaulttest.Start(t), &lines{}
	v.Put("kv/tls", map[string]any{"key": "the key"})
	r := run(t, func(o *secret.Options) { o.Log = slog.New(slog.NewTextHandler(log, nil)) })
	const ref = "$secret://vault/1/tls/key"
	r.manage("vault/1", v.Manager("kv"))
	r.Use("user", []string{ref})
	r.comes(ref, "the key")
	v.Fail(http.StatusForbidden)
	r.awaits("stale", func(c secret.Counts) bool { return c.Stale == 1 })
	if got := log.String(); !strings.Contains(got, "what was known of it stays") || strings.Contains(got, "are refused") {
		t.Errorf("its manager fails: got %s", got)
	}
	v.Fail(0)
	r.awaits("known", func(c secret.Counts) bool { return c.Known == 1 })
	before := len(log.String())
	r.manage("vault/1", v.Manager("elsewhere"))
	r.comes(ref, "[secret vault/1/tls/key: its manager has nothing there (status 404)]")
	if got := log.String()[before:]; strings.Contains(got, "stays") || !strings.Contains(got, "objects that need it are refused") || r.Troubles(10)["vault/1/tls/key"].Stale {
		t.Errorf("another manager: got %s and %+v", got, r.Troubles(10))
	}
}

func TestValuesOfAnotherManagerDoNotStay(t *testing.T) {
	t.Parallel()
	one, two := vaulttest.Start(t), vaulttest.Start(t)
	one.Put("kv/tls", map[string]any{"key": "of one"})
	two.Put("kv/tls", map[string]any{"key": "of two"})
	r := run(t, func(o *secret.Options) { o.Refresh = time.Hour })
	const ref = "$secret://vault/1/tls/key"
	r.manage("vault/1", one.Manager("kv"))
	r.Use("user", []string{ref})
	r.comes(ref, "of one")
	r.manage("vault/1", two.Manager("kv"))
	r.comes(ref, "of two")
	asked := two.Asked()
	r.manage("vault/1", two.Manager("kv")) // as it was
	if _, err := r.Manage("vault/1", []byte(`{"uri":"ftp://x","prefix":"kv","token":"t"}`)); err == nil {
		t.Error("a manager by FTP was taken")
	}
	if got := r.says(ref); got != "of two" || two.Asked() != asked {
		t.Errorf("after changes that are none: got %s, %d questions more", got, two.Asked()-asked)
	}
	r.manage("vault/1", two.Manager("elsewhere"))
	r.comes(ref, "[secret vault/1/tls/key: its manager has nothing there (status 404)]")
	r.manage("vault/1", two.Manager("kv"))
	r.comes(ref, "of two")
	if users := r.manage("vault/1", nil); !slices.Equal(users, []string{"user"}) {
		t.Errorf("without a manager: the users are %v", users)
	}
	if got := r.says(ref); got != "[secret vault/1/tls/key: there is no manager vault/1]" {
		t.Errorf("without a manager: got %s", got)
	}
	r.manage("vault/1", one.Manager("kv"))
	r.comes(ref, "of one")
}

func TestSilentManagerKeepsNobodyFromTheOthers(t *testing.T) {
	t.Parallel()
	silent, v := vaulttest.Start(t), vaulttest.Start(t)
	release := silent.Hold()
	v.Put("kv/tls", map[string]any{"key": "k"})
	silent.Put("kv/tls/3", map[string]any{"key": "late"})
	r := run(t)
	r.manage("vault/silent", silent.Manager("kv"))
	r.manage("vault/1", v.Manager("kv"))
	for i := range 20 {
		r.Use(fmt.Sprint("silent ", i), []string{fmt.Sprintf("$secret://vault/silent/tls/%d/key", i)})
	}
	r.Use("one", []string{"$secret://vault/1/tls/key"})
	r.comes("$secret://vault/1/tls/key", "k")
	if got := r.says("$secret://vault/silent/tls/3/key"); !strings.Contains(got, "has not answered yet") {
		t.Errorf("of the silent one: got %s", got)
	}
	for limit := time.Now().Add(20 * time.Second); silent.Asked() < 4 && time.Now().Before(limit); <-time.After(time.Millisecond) {
	}
	release()
	r.settled()
	if n := silent.Peak(); n != 4 {
		t.Errorf("%d questions to the silent one at once, want 4", n)
	}
	if got := r.says("$secret://vault/silent/tls/3/key"); got != "late" {
		t.Errorf("got %s", got)
	}
}

func TestLeaseShorterThanTheIntervalIsKept(t *testing.T) {
	t.Parallel()
	v := vaulttest.Start(t)
	v.Put("kv/tls", map[string]any{"key": "k1"})
	v.Lease(1)
	r := run(t, func(o *secret.Options) { o.Refresh = time.Hour })
	r.manage("vault/1", v.Manager("kv"))
	r.Use("one", []string{"$secret://vault/1/tls/key"})
	r.comes("$secret://vault/1/tls/key", "k1")
	v.Put("kv/tls", map[string]any{"key": "k2"})
	r.comes("$secret://vault/1/tls/key", "k2")
}

func TestAnswersThatAreNoSecretsAreNotTaken(t *testing.T) {
	t.Parallel()
	other := vaulttest.Start(t)
	for _, tc := range []struct {
		how    string
		answer http.HandlerFunc
		want   string
	}{
		{"a page", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>hunter2</html>")) }, "something else than a secret"},
		{"no data", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"data":null}`)) }, "something else than a secret"},
		{"too long", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"data":{"key":"` + strings.Repeat("a", 1<<20) + `"}}`))
		}, "more than 1048576 bytes"},
		{"a redirection", func(w http.ResponseWriter, q *http.Request) {
			http.Redirect(w, q, other.URL+q.URL.Path, http.StatusTemporaryRedirect)
		}, "status 307"},
		{"cut", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte(`{"data":{"key":"a"}}`))
		}, "cannot be asked"},
	} {
		s := httptest.NewServer(tc.answer)
		t.Cleanup(s.Close)
		r := run(t)
		r.manage("vault/1", fmt.Appendf(nil, `{"uri":%q,"prefix":"kv","token":"t"}`, s.URL))
		r.Use("one", []string{"$secret://vault/1/tls/key"})
		r.settled()
		if got := r.says("$secret://vault/1/tls/key"); !strings.Contains(got, tc.want) || strings.Contains(got, "hunter2") {
			t.Errorf("%s: got %s, want %s", tc.how, got, tc.want)
		}
	}
	if other.Asked() > 0 {
		t.Error("a redirection was followed")
	}
}
