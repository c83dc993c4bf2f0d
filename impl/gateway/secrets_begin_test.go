package gateway

import (
	"net/http"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/certs/certstest"
	"github.com/unilb/unilb/impl/secret/vaulttest"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/etcdtest"
	"github.com/unilb/unilb/impl/store/lastgood"
)

func TestGatewayBeginsWithItsSecretsAndFromDiskToo(t *testing.T) {
	etcd, dir, v := etcdtest.Start(t), t.TempDir(), vaulttest.Start(t)
	p := certstest.SelfSigned(t, "a.example")
	v.Put("kv/shop/tls", members(t, p))
	ring, err := apisix.NewKeyring("0123456789abcdef")
	if err != nil {
		t.Fatal(err)
	}
	sealing := func(o *Options) { o.Keyring = ring }
	r := startOn(t, etcd, EngineStd, asking, sealing, keeping(dir))
	r.put("/apisix", "secrets/vault/1", string(v.Manager("kv")))
	r.put("/apisix", "ssls/a", referring("a.example", "$secret://vault/1/shop/tls/cert", "$secret://vault/1/shop/tls/key"))
	r.serves("a.example", p)
	r.end()
	for _, how := range []string{"etcd", "disk"} {
		release := v.Hold()
		time.AfterFunc(100*time.Millisecond, release)
		r = startOn(t, etcd, EngineStd, asking, sealing, keeping(dir))
		if !p.Leaf.Equal(r.shown("a.example")) {
			t.Errorf("begun from %s: ready without the certificate", how)
		}
		if n := len(r.lastGood().InForce); (n > 0) != (how == "disk") {
			t.Errorf("%d prefixes are in force from disk", n)
		}
		r.end()
		if how == "etcd" {
			// A process that finds Vault away leaves the reference to its successor.
			v.Fail(http.StatusServiceUnavailable)
			r = startOn(t, etcd, EngineStd, asking, sealing, keeping(dir))
			if refused, _ := r.config(); refused["/apisix/ssls/a"] == "" {
				t.Error("begun without Vault: the object is not listed")
			}
			r.end()
			v.Fail(0)
			etcd.Down()
		}
	}
}

func TestWhatIsReadOfflineNeedsNoSecrets(t *testing.T) {
	r := Reading{Prefix: "/apisix"}
	src := r.Explained(lastgood.Content{Prefix: "/apisix", KVs: []store.KV{{
		Key:   "/apisix/routes/1",
		Value: []byte(`{"uri":"/*","upstream":{"scheme":"https","nodes":{"127.0.0.1:1":1},"tls":{"client_cert":"$secret://vault/1/a/cert","client_key":"$env://KEY"}}}`),
	}}})
	if len(src.Refused) > 0 || src.Snapshot.Route("1") == nil {
		t.Errorf("refused %v", src.Refused)
	}
}
