package gateway

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/certs/certstest"
	"github.com/unilb/unilb/impl/secret/vaulttest"
)

// asking has a gateway ask managers of secrets all the time.
func asking(o *Options) { o.SecretRefresh = 10 * time.Millisecond }

// referring is an ssl object for a name whose certificate and key are elsewhere.
func referring(name, cert, key string) string {
	return fmt.Sprintf(`{"sni":%q,"cert":%q,"key":%q}`, name, cert, key)
}

// members are a certificate and its key as a secret has them.
func members(t *testing.T, p tls.Certificate) map[string]any {
	t.Helper()
	cert, key := certstest.PEM(t, p)
	return map[string]any{"cert": cert, "key": key}
}

// shown is the certificate that is served for a name; nil: none.
func (r *region) shown(name string) *x509.Certificate {
	r.t.Helper()
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: 20 * time.Second}, "tcp", r.secure, &tls.Config{ServerName: name, InsecureSkipVerify: true})
	if err != nil {
		return nil
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0]
}

// serves waits until a certificate is served for a name.
func (r *region) serves(name string, p tls.Certificate) {
	r.t.Helper()
	r.comesTrue("the certificate of "+name, func() bool { return p.Leaf.Equal(r.shown(name)) })
}

// config is what the status listener says of the configuration.
func (r *region) config() (refused map[string]string, secrets map[string]any) {
	r.t.Helper()
	var v struct {
		Refused map[string]string
		Secrets map[string]any
	}
	_, body := r.get("http://"+r.status+"/status/config", "")
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		r.t.Fatalf("%s: %v", body, err)
	}
	return v.Refused, v.Secrets
}

func TestCertificateOfVaultIsServedAndFollowsItsRotation(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		v := vaulttest.Start(t)
		var log lockedBuffer
		dir := t.TempDir()
		ring, err := apisix.NewKeyring("0123456789abcdef")
		if err != nil {
			t.Fatal(err)
		}
		r := startWith(t, engine, asking, keeping(dir), func(o *Options) {
			o.Keyring, o.Log = ring, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		first := certstest.SelfSigned(t, "a.example")
		v.Put("secret/shop/tls", members(t, first))
		manager, object := string(v.Manager("secret/data")), referring("a.example", "$secret://vault/1/shop/tls/cert", "$secret://vault/1/shop/tls/key")
		r.put("/apisix", "secrets/vault/1", manager)
		r.put("/apisix", "ssls/a", object)
		r.serves("a.example", first)
		if got, want := r.hash(), naiveHash(map[string]string{"/apisix/secrets/vault/1": manager, "/apisix/ssls/a": object}); got != want {
			t.Errorf("the hash of what is in force: got %s, want %s", got, want)
		}
		if refused, secrets := r.config(); len(refused)+len(secrets) > 0 {
			t.Errorf("served, and listed: refused %v, secrets %v", refused, secrets)
		}
		rotated := first
		for range 3 {
			rotated = certstest.SelfSigned(t, "a.example")
			v.Put("secret/shop/tls", members(t, rotated))
			r.serves("a.example", rotated)
		}
		v.Fail(http.StatusServiceUnavailable)
		r.await(2, "unilb_secrets", "state", "stale")
		if refused, secrets := r.config(); len(refused) != 0 || len(secrets) != 2 || !rotated.Leaf.Equal(r.shown("a.example")) {
			t.Errorf("while Vault is sealed: refused %v, secrets %v, served %v", refused, secrets, r.shown("a.example"))
		}
		r.comesTrue("the file is written", func() bool { return r.lastGood().Writes > 0 && r.lastGood().Revisions["/apisix"] > 0 })
		r.end()
		// Nothing that was written has a key or the token in it.
		_, file := onlyFile(t, dir)
		if !bytes.Contains(file, []byte("$secret://vault/1/shop/tls/key")) || !bytes.Contains(file, []byte("/apisix/secrets/vault/1")) {
			t.Errorf("the file does not keep the reference and the manager: %q", file)
		}
		for where, text := range map[string][]byte{"file": file, "log": []byte(log.String())} {
			for _, p := range []tls.Certificate{first, rotated} {
				if line := strings.Split(members(t, p)["key"].(string), "\n")[1]; bytes.Contains(text, []byte(line)) {
					t.Errorf("a private key is in the %s", where)
				}
			}
			if bytes.Contains(text, []byte(vaulttest.Token)) {
				t.Errorf("the token is in the %s", where)
			}
		}
	})
}

func TestObjectWhoseSecretIsNotKnownIsListedKeepsItsVersionAndBlocksNobody(t *testing.T) {
	v, dir := vaulttest.Start(t), t.TempDir()
	r := startWith(t, EngineStd, asking, keeping(dir))
	old, next, other := certstest.SelfSigned(t, "a.example"), certstest.SelfSigned(t, "a.example"), certstest.SelfSigned(t, "b.example")
	r.put("/apisix", "ssls/a", bundleObject(t, "a.example", old))
	const ref = "$secret://vault/1/shop/tls/"
	release := v.Hold()
	r.put("/apisix", "secrets/vault/1", string(v.Manager("kv")))
	r.put("/apisix", "ssls/a", referring("a.example", ref+"cert", ref+"key"))
	r.put("/apisix", "ssls/b", bundleObject(t, "b.example", other)) // Vault is silent, and this is in force
	if !other.Leaf.Equal(r.shown("b.example")) || !old.Leaf.Equal(r.shown("a.example")) {
		t.Error("while Vault is silent: want the other certificate, and the previous version")
	}
	isRefused := func(why string) {
		t.Helper()
		r.comesTrue("refused because "+why, func() bool {
			refused, _ := r.config()
			return refused["/apisix/ssls/a"] == "secret vault/1/shop/tls/cert: "+why
		})
		if _, body := r.get("http://"+r.status+"/status", ""); !strings.Contains(body, `"key":"/apisix/ssls/a"`) {
			t.Errorf("refused because %s, and not in the report: %s", why, body)
		}
		if !old.Leaf.Equal(r.shown("a.example")) {
			t.Errorf("refused because %s: the previous version is not served", why)
		}
	}
	isRefused("its manager has not answered yet")
	release()
	isRefused("its manager has nothing there (status 404)")
	r.put("/apisix", "secrets/vault/1", "")
	isRefused("there is no manager vault/1")
	v.Put("kv/shop/tls", members(t, next))
	r.put("/apisix", "secrets/vault/1", `{"uri":"nonsense"}`)
	if refused, _ := r.config(); refused["/apisix/secrets/vault/1"] == "" {
		t.Errorf("a manager that cannot be used is not listed: %v", refused)
	}
	r.put("/apisix", "secrets/vault/1", string(v.Manager("kv")))
	r.serves("a.example", next)
	r.comesTrue("nothing is refused", func() bool { refused, _ := r.config(); return len(refused) == 0 })
	r.comesTrue("the file has the version that is in force", func() bool {
		files, _ := filepath.Glob(filepath.Join(dir, "*.lastgood"))
		b, err := os.ReadFile(strings.Join(files, ""))
		return err == nil && bytes.Contains(b, []byte(ref+"key"))
	})
	// A pair that does not belong together is refused as a whole.
	v.Put("kv/shop/tls", map[string]any{"cert": members(t, other)["cert"], "key": members(t, next)["key"]})
	r.comesTrue("refused for the pair", func() bool {
		refused, _ := r.config()
		return strings.Contains(refused["/apisix/ssls/a"], "private key does not match public key")
	})
	if !next.Leaf.Equal(r.shown("a.example")) {
		t.Error("after half a rotation: the last good pair is not served")
	}
	// The manager goes away: what is served stays.
	r.put("/apisix", "secrets/vault/1", "")
	if !next.Leaf.Equal(r.shown("a.example")) {
		t.Error("without its manager: the last good pair is not served")
	}
	r.put("/apisix", "ssls/a", "")
	if refused, secrets := r.config(); len(refused)+len(secrets) != 0 || r.shown("a.example") != nil {
		t.Errorf("deleted: refused %v, secrets %v", refused, secrets)
	}
}

// What is served follows its own secrets, whatever was written later and refused.
func TestVersionInForceFollowsItsSecretsWhileALaterOneIsRefused(t *testing.T) {
	v := vaulttest.Start(t)
	r := startWith(t, EngineStd, asking)
	r.put("/apisix", "secrets/vault/1", string(v.Manager("kv")))
	p := certstest.SelfSigned(t, "a.example")
	v.Put("kv/shop", members(t, p))
	good := referring("a.example", "$secret://vault/1/shop/cert", "$secret://vault/1/shop/key")
	r.put("/apisix", "ssls/a", good)
	r.serves("a.example", p)
	for what, bad := range map[string]string{
		"its secret is not there":       referring("a.example", "$secret://vault/1/shpo/cert", "$secret://vault/1/shpo/key"),
		"it has no references":          `{"sni":"a.example","cert":"no certificate","key":"no key"}`,
		"it is no JSON":                 `{"sni":"$secret://`,
		"its secret is of another sort": referring("a.example", "$secret://vault/1/odd/cert", "$secret://vault/1/odd/key"),
	} {
		v.Put("kv/odd", map[string]any{"cert": "odd", "key": "odd"})
		r.put("/apisix", "ssls/a", bad)
		r.comesTrue("refused: "+what, func() bool { refused, _ := r.config(); return refused["/apisix/ssls/a"] != "" })
		refused, _ := r.config()
		p = certstest.SelfSigned(t, "a.example")
		v.Put("kv/shop", members(t, p))
		r.serves("a.example", p) // rotated
		if now, _ := r.config(); now["/apisix/ssls/a"] == "" {
			t.Errorf("%s: after a rotation of the version before the object is not listed as refused; before: %v", what, refused)
		}
	}
	// The next good version is followed, and the others are asked for no more.
	r.put("/apisix", "ssls/a", referring("a.example", "$secret://vault/1/next/cert", "$secret://vault/1/next/key"))
	p = certstest.SelfSigned(t, "a.example")
	v.Put("kv/next", members(t, p))
	r.serves("a.example", p)
	r.await(2, "unilb_secrets")
	r.put("/apisix", "ssls/a", bundleObject(t, "a.example", p))
	r.await(0, "unilb_secrets")
}

// Gateways get their secrets at different times: an object that waits for one counts as it
// was put, or each of them would find the others differing.
func TestObjectThatWaitsForItsSecretIsNoDrift(t *testing.T) {
	v := vaulttest.Start(t)
	r := startWith(t, EngineStd, asking)
	manager := string(v.Manager("kv"))
	r.put("/apisix", "secrets/vault/1", manager)
	there := map[string]string{"/apisix/secrets/vault/1": manager}
	is := func(what string) {
		t.Helper()
		if got := r.hash(); got != naiveHash(there) {
			t.Errorf("%s: the hash is %s, want %s", what, got, naiveHash(there))
		}
	}
	p := certstest.SelfSigned(t, "a.example")
	inline := bundleObject(t, "a.example", p)
	waits := referring("a.example", "$secret://vault/1/shop/cert", "$secret://vault/1/shop/key")
	put := func(what, value string, counts bool) {
		t.Helper()
		r.put("/apisix", "ssls/a", value)
		if delete(there, "/apisix/ssls/a"); counts {
			there["/apisix/ssls/a"] = value
		}
		is(what)
	}
	put("a new object that waits", waits, true)
	put("refused after that, and nothing is in force", `{"sni":7}`, false)
	put("waits again", waits, true)
	put("deleted", "", false)
	put("in force", inline, true)
	put("a version of it that waits", waits, true)
	r.put("/apisix", "ssls/a", `{"sni":7}`)
	there["/apisix/ssls/a"] = inline
	is("refused after that: the one in force counts")
	put("waits once more", waits, true)
	v.Put("kv/shop", members(t, certstest.SelfSigned(t, "a.example")))
	r.comesTrue("the secret comes", func() bool { refused, _ := r.config(); return len(refused) == 0 })
	is("the secret is there")
}

func TestReferencesStandWhereverCertificatesAndKeysDo(t *testing.T) {
	v := vaulttest.Start(t)
	ca := certstest.NewAuthority(t)
	served, further, client := certstest.SelfSigned(t, "a.example"), certstest.SelfSigned(t, "a.example"), ca.Issue("gateway", certstest.Elliptic(t))
	cert, key := certstest.PEM(t, served)
	t.Setenv("SHOP_CERT", cert)
	pair, err := json.Marshal(map[string]string{"the-key": key})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SHOP_JSON", string(pair))
	v.Put("kv/further", members(t, further))
	v.Put("kv/client", members(t, client))
	authority, _ := certstest.PEM(t, tls.Certificate{Certificate: [][]byte{ca.Cert.Raw}, PrivateKey: client.PrivateKey})
	v.Put("kv/ca", map[string]any{"ca": authority})
	// A target that wants a certificate of this authority.
	target := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		_, _ = io.WriteString(w, q.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	roots := x509.NewCertPool()
	roots.AddCert(ca.Cert)
	target.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: roots}
	target.StartTLS()
	t.Cleanup(target.Close)
	r := startWith(t, EngineStd, asking)
	r.put("/apisix", "secrets/vault/1", string(v.Manager("kv")))
	shows := `"scheme":"https","nodes":{"` + target.Listener.Addr().String() + `":1},"tls":{"client_cert":"$secret://vault/1/client/cert","client_key":"$secret://vault/1/client/key"}`
	r.put("/apisix", "upstreams/u", `{`+shows+`}`)
	r.put("/apisix", "services/s", `{"upstream":{`+shows+`}}`)
	r.put("/apisix", "ssls/c", `{"type":"client","cert":"$secret://vault/1/client/cert","key":"$secret://vault/1/client/key"}`)
	r.put("/apisix", "upstreams/c", `{"scheme":"https","nodes":{"`+target.Listener.Addr().String()+`":1},"tls":{"client_cert_id":"c"}}`)
	for path, up := range map[string]string{"/upstream": `"upstream_id":"u"`, "/service": `"service_id":"s"`, "/inline": `"upstream":{` + shows + `}`, "/object": `"upstream_id":"c"`} {
		r.put("/apisix", "routes"+path, `{"uri":"`+path+`",`+up+`}`)
		r.comesTrue(path+" shows the certificate", func() bool {
			status, body := r.get("http://"+r.data+path, "")
			return status == 200 && body == "gateway"
		})
	}
	// Further pairs, the authority of clients, and the environment.
	r.put("/apisix", "ssls/a", `{"sni":"a.example","cert":"$env://SHOP_CERT","key":"$env://SHOP_JSON/the-key","certs":["$secret://vault/1/further/cert"],"keys":["$secret://vault/1/further/key"],"client":{"ca":"$secret://vault/1/ca/ca"}}`)
	r.comesTrue("the object is in force", func() bool { refused, _ := r.config(); return len(refused) == 0 })
	if !served.Leaf.Equal(r.shownTo("a.example", client)) {
		t.Errorf("got %v, want the certificate of the environment", r.shownTo("a.example", client))
	}
	if _, _, err := over(t, r.secure, "a.example"); err == nil {
		t.Error("a client without a certificate is served")
	}
	for ref, why := range map[string]string{
		"$env://NOT_SET":        "environment variable NOT_SET: it is not set",
		"$secret://aws/1/a/b":   "secret aws/1/a/b: managers of the kind aws are not supported by this gateway yet",
		"$secret://vault/9/a/b": "secret vault/9/a/b: there is no manager vault/9",
	} {
		r.put("/apisix", "ssls/bad", referring("bad.example", ref, "$env://SHOP_JSON/the-key"))
		if refused, _ := r.config(); refused["/apisix/ssls/bad"] != why {
			t.Errorf("%s: refused for %q, want %q", ref, refused["/apisix/ssls/bad"], why)
		}
	}
	// What stands for a reference is not looked up in turn.
	t.Setenv("SHOP_OTHER", "$env://SHOP_CERT")
	r.put("/apisix", "ssls/bad", referring("bad.example", "$env://SHOP_OTHER", "$env://SHOP_JSON/the-key"))
	if refused, _ := r.config(); !strings.Contains(refused["/apisix/ssls/bad"], "stands for another reference") {
		t.Errorf("a reference to a reference: %v", refused)
	}
}

// shownTo is what a client that has a certificate is served.
func (r *region) shownTo(name string, client tls.Certificate) *x509.Certificate {
	r.t.Helper()
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: 20 * time.Second}, "tcp", r.secure, &tls.Config{ServerName: name, InsecureSkipVerify: true, Certificates: []tls.Certificate{client}})
	if err != nil {
		r.t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0]
}
