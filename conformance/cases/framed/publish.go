package framed

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

// Certify writes a certificate for the case's host, which nobody has a reason to trust;
// Wait tells when it is in force.
func Certify(ctx context.Context, t *spec.T) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Brokenf("make a key: %v", err)
	}
	tmpl := x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: t.Host()}, DNSNames: []string{t.Host()},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, &tmpl, &tmpl, k.Public(), k)
	if err != nil {
		t.Brokenf("make a certificate: %v", err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Brokenf("encode a key: %v", err)
	}
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	b, err := json.Marshal(map[string]any{"cert": text("CERTIFICATE", der), "key": text("PRIVATE KEY", key), "snis": []string{t.Host()}})
	if err != nil {
		t.Brokenf("encode a certificate: %v", err)
	}
	t.Put(ctx, "ssls/"+t.Name("h2"), string(b))
}
