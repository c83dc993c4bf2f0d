package gateway

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/certs/certstest"
	"github.com/unilb/unilb/impl/config"
)

// sslObject is the value of an ssl object for a name, and its certificate.
func sslObject(t *testing.T, name string) string {
	t.Helper()
	cert, key := certstest.PEM(t, certstest.SelfSigned(t, name))
	b, err := json.Marshal(map[string]any{"sni": name, "cert": cert, "key": key})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// over asks an address for / over TLS.
func over(t *testing.T, addr, name string) (status int, body string, err error) {
	t.Helper()
	c := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{ServerName: name, InsecureSkipVerify: true},
	}}
	req, err := http.NewRequest(http.MethodGet, "https://"+addr+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = name
	resp, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

func TestCertificatesAndListenersWithTLSComeIntoForce(t *testing.T) {
	for _, engine := range []string{EngineStd, EngineLoop} {
		t.Run(engine, func(t *testing.T) { certificatesComeIntoForce(t, startWith(t, engine)) })
	}
}

func certificatesComeIntoForce(t *testing.T, r *region) {
	one := backend(t, "one")
	r.put("/apisix", "routes/1", `{"uri":"/*","upstream":{"nodes":{"`+one+`":1}}}`)
	r.put("/apisix", "ssls/a", sslObject(t, "a.example"))
	dynamic := freeAddr(t)
	at := netip.MustParseAddrPort(dynamic)
	object := func(protocol string) string {
		return fmt.Sprintf(`{"id":"web","address":"%s","port":%d,"protocol":"%s"}`, at.Addr(), at.Port(), protocol)
	}
	r.put("/unilb/listeners", "web", object("https"))
	for _, addr := range []string{r.secure, dynamic} {
		if status, body, err := over(t, addr, "a.example"); err != nil || status != 200 || body != "one" {
			t.Errorf("%s: %d %q %v", addr, status, body, err)
		}
		if _, _, err := over(t, addr, "b.example"); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
			t.Errorf("%s: a name that nobody has: %v", addr, err)
		}
	}
	r.put("/apisix", "ssls/b", sslObject(t, "b.example"))
	if status, _, err := over(t, dynamic, "b.example"); err != nil || status != 200 {
		t.Errorf("a new certificate: %d %v", status, err)
	}
	r.put("/apisix", "ssls/a", strings.Replace(sslObject(t, "a.example"), "MI", "XX", 1))
	if status, body := r.get("http://"+r.status+"/status/config", ""); status != 200 || !strings.Contains(body, `"/apisix/ssls/a":"failed to parse`) {
		t.Errorf("a bad certificate is not reported: %s", body)
	}
	if status, _, err := over(t, dynamic, "a.example"); err != nil || status != 200 {
		t.Errorf("after a bad version: %d %v, want the previous one", status, err)
	}
	r.put("/apisix", "ssls/a", "")
	if _, _, err := over(t, dynamic, "a.example"); err == nil {
		t.Error("a deleted certificate is served")
	}
	r.put("/unilb/listeners", "web", object("http"))
	if status, body := r.get("http://"+dynamic+"/", "a.example"); status != 200 || body != "one" {
		t.Errorf("a listener that is without TLS now: %d %q", status, body)
	}
}

// book is a node that keeps what it refuses.
type book struct {
	mu      sync.Mutex
	refused map[string]bool
}

func (b *book) Refuse(key string, _ error) { b.mu.Lock(); defer b.mu.Unlock(); b.refused[key] = true }
func (b *book) Accept(key string)          { b.mu.Lock(); defer b.mu.Unlock(); delete(b.refused, key) }

// counting is an engine that counts its listeners, with TLS and without.
type counting struct {
	hangsUp
	plain, secure *atomic.Int32
}

func (c counting) Serve(l net.Listener) error    { c.plain.Add(1); return c.hangsUp.Serve(l) }
func (c counting) ServeTLS(l net.Listener) error { c.secure.Add(1); return c.hangsUp.Serve(l) }

func TestObjectsThatDisagreeAboutAnAddressAreRefusedButTheFirst(t *testing.T) {
	var plain, secure atomic.Int32
	at := netip.MustParseAddrPort(freeAddr(t))
	b := &book{refused: map[string]bool{}}
	l := newListeners(counting{plain: &plain, secure: &secure}, b, nil, slog.New(slog.DiscardHandler))
	if err := l.begin(nil, nil); err != nil {
		t.Fatal(err)
	}
	web := func(id string, tls bool) *config.Listener { return &config.Listener{ID: id, At: at, TLS: tls} }
	for _, tc := range []struct {
		objects []*config.Listener
		secure  bool
		refused string
	}{
		{[]*config.Listener{web("c", false), web("b", true), web("a", true)}, true, "map[/unilb/listeners/c:true]"},
		{[]*config.Listener{web("c", false), web("b", true)}, true, "map[/unilb/listeners/c:true]"},
		{[]*config.Listener{web("c", false)}, false, "map[]"},
		{[]*config.Listener{web("c", false), web("a", true)}, true, "map[/unilb/listeners/c:true]"},
	} {
		l.reconcile(tc.objects)
		if got := l.open[at].secure; got != tc.secure || len(l.open) != 1 || fmt.Sprint(b.refused) != tc.refused {
			t.Errorf("%d objects: TLS %t, want %t; refused %v, want %s", len(tc.objects), got, tc.secure, b.refused, tc.refused)
		}
	}
	l.close()
	if plain.Load() != 1 || secure.Load() != 2 {
		t.Errorf("opened %d with TLS and %d without, want 2 and 1", secure.Load(), plain.Load())
	}
}
