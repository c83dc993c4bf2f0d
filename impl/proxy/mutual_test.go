package proxy

import (
	"crypto/tls"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/certs"
	"github.com/unilb/unilb/impl/certs/certstest"
)

// demanding is an ssl object for a name that wants certificates of clients.
func demanding(t *testing.T, name string) string {
	t.Helper()
	cert, key := certstest.PEM(t, certstest.SelfSigned(t, name))
	b, err := json.Marshal(map[string]any{
		"sni": name, "cert": cert, "key": key, "client": map[string]any{"ca": cert, "skip_mtls_uri_regex": []string{"^/open"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRequestWithoutTheCertificateThatItsHostWantsGoesNowhere(t *testing.T) {
	g := newGateway(t)
	g.put("routes/1", `{"uri":"/*","upstream":{"nodes":{"10.0.0.1:80":1}}}`, "ssls/1", demanding(t, "closed.example"))
	server := certs.NewServer(certs.Options{}, time.Unix(1000, 0))
	for _, tc := range []struct {
		name, host, path string
		want             int
	}{
		{"closed.example", "closed.example", "/", 400}, {"open.example", "closed.example", "/", 400}, {"open.example", "Closed.Example:443", "/open/../x", 400},
		{"closed.example", "closed.example", "/open", 200}, {"open.example", "open.example", "/", 200},
	} {
		r := get(tc.path)
		r.Authority, r.TLS = tc.host, server.Conn(tls.ConnectionState{ServerName: tc.name})
		a := g.Do(r)
		if sent := len(a.Sent) == 1; a.Status != tc.want || sent != (tc.want == 200) || tc.want == 400 && !strings.Contains(a.Body, "400 Bad Request") {
			t.Errorf("%+v: %d, %d sent", tc, a.Status, len(a.Sent))
		}
		if a.Status == 200 && value(a.Sent[0].Fields, "X-Forwarded-Proto") != "https" {
			t.Errorf("%+v: fields %v", tc, a.Sent[0].Fields)
		}
	}
	r := get("/")
	r.Authority = "closed.example"
	if a := g.Do(r); a.Status != 200 {
		t.Errorf("without TLS: %d, want it served as in APISIX", a.Status)
	}
}

// Who demands nothing for some paths means those that routes see: what a setting drops is
// no way to look like one of them.
func TestCertificateIsDemandedForThePathThatSettingsMake(t *testing.T) {
	g := newGateway(t)
	g.o.Paths = Paths{Servlet: true}
	g.put("routes/1", `{"uri":"/*","upstream":{"nodes":{"10.0.0.1:80":1}}}`,
		"ssls/1", strings.Replace(demanding(t, "closed.example"), "^/open", `\\.js$`, 1))
	server := certs.NewServer(certs.Options{}, time.Unix(1000, 0))
	for path, want := range map[string]int{"/a.js": 200, "/a.js;v=1": 200, "/admin;x.js": 400, "/admin": 400} {
		r := get(path)
		r.Authority, r.TLS = "closed.example", server.Conn(tls.ConnectionState{ServerName: "closed.example"})
		if a := g.Do(r); a.Status != want || len(a.Sent) == 1 != (want == 200) {
			t.Errorf("%s: %d, %d sent, want %d", path, a.Status, len(a.Sent), want)
		}
	}
}

func TestTargetIsShownTheCertificateOfItsUpstream(t *testing.T) {
	g := newGateway(t)
	client := strings.Replace(demanding(t, "gateway.example"), `{`, `{"type":"client",`, 1)
	g.put("ssls/c", client, "routes/1", `{"uri":"/shown","upstream":{"nodes":{"10.0.0.1:443":1},"scheme":"https","tls":{"client_cert_id":"c"}}}`,
		"routes/2", `{"uri":"/not","upstream":{"nodes":{"10.0.0.1:443":1},"scheme":"https"}}`)
	for path, want := range map[string]bool{"/shown": true, "/not": false} {
		if a := g.Do(get(path)); len(a.Sent) != 1 || (a.Sent[0].Plan.ClientCert != nil) != want {
			t.Errorf("%s: sent %+v, want a certificate: %t", path, a.Sent, want)
		}
	}
}
