package apisix_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"testing"

	"github.com/unilb/unilb/impl/certs/certstest"
)

// pair is a self-signed certificate for a name, and its key, as PEM.
func pair(t *testing.T, name string) (cert, key string) {
	t.Helper()
	return certstest.PEM(t, certstest.SelfSigned(t, name))
}

// otherKind is a pair of another algorithm.
func otherKind(t *testing.T, name string) (cert, key string) {
	t.Helper()
	_, k, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return certstest.PEM(t, certstest.SelfSignedBy(t, name, k))
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
