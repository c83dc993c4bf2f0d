package secret_test

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/secret"
	"github.com/unilb/unilb/impl/secret/vaulttest"
)

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
