package framed

import (
	"context"
	"encoding/json"

	"github.com/unilb/unilb/conformance/cases/selfsigned"
	"github.com/unilb/unilb/conformance/spec"
)

// Certify writes a certificate for the case's host, which nobody has a reason to trust;
// Wait tells when it is in force.
func Certify(ctx context.Context, t *spec.T) {
	cert, key := selfsigned.Certificate(t)
	b, err := json.Marshal(map[string]any{"cert": cert, "key": key, "snis": []string{t.Host()}})
	if err != nil {
		t.Brokenf("encode a certificate: %v", err)
	}
	t.Put(ctx, "ssls/"+t.Name("h2"), string(b))
}
