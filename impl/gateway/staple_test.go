package gateway

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/unilb/unilb/impl/certs/certstest"
)

// responder answers for all certificates of an authority, for an hour.
func responder(t *testing.T, ca *certstest.Authority) (url string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		q, err := ocsp.ParseRequest(b)
		if err != nil {
			t.Errorf("question: %v", err)
			return
		}
		now := time.Now()
		_, _ = w.Write(ca.Says(ocsp.Response{Status: ocsp.Good, SerialNumber: q.SerialNumber, ThisUpdate: now, NextUpdate: now.Add(time.Hour)}))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func bundleObject(t *testing.T, name string, pair tls.Certificate) string {
	t.Helper()
	cert, key := certstest.BundlePEM(t, pair)
	b, err := json.Marshal(map[string]any{"sni": name, "cert": cert, "key": key})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// stapled is what the gateway staples for a name.
func (r *region) stapled(name string) []byte {
	r.t.Helper()
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: 20 * time.Second}, "tcp", r.secure, &tls.Config{ServerName: name, InsecureSkipVerify: true})
	if err != nil {
		r.t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().OCSPResponse
}

func TestCertificatesAreStapled(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		r := startWith(t, engine, func(o *Options) {
			o.OCSPStapling, o.OCSPReach = true, func(netip.Addr) bool { return true }
		})
		ca := certstest.NewAuthority(t).Below()
		pair := ca.IssueWith("a.example", certstest.Elliptic(t), certstest.Responder(responder(t, ca)))
		r.put("/apisix", "ssls/a", bundleObject(t, "a.example", pair))
		r.await(1, "unilb_ocsp_certificates", "state", "stapled")
		if a, err := ocsp.ParseResponseForCert(r.stapled("a.example"), pair.Leaf, ca.Cert); err != nil || a.Status != ocsp.Good {
			t.Errorf("stapled: %+v, %v", a, err)
		}
		r.put("/apisix", "ssls/a", bundleObject(t, "*.example", pair))
		if r.stapled("b.example") == nil {
			t.Error("the object was written anew, and its staple is gone")
		}
		f := r.scrape()
		if good, failed := value(f, "unilb_ocsp_requests_total", "result", "good"), value(f, "unilb_ocsp_requests_total", "result", "failed"); good != 1 || failed != 0 {
			t.Errorf("%v good questions and %v failed ones, want 1 and 0", good, failed)
		}
		if age := value(f, "unilb_ocsp_oldest_answer_age_seconds"); f["unilb_ocsp_oldest_answer_age_seconds"] == nil || age < 0 || age > 60 {
			t.Errorf("the oldest answer is %v seconds old", age)
		}
		r.put("/apisix", "ssls/a", "")
		r.await(0, "unilb_ocsp_certificates")
	})
}

func TestWithoutStaplingOnlyCertificatesThatDemandItAreStapled(t *testing.T) {
	r := startWith(t, EngineStd, func(o *Options) { o.OCSPReach = func(netip.Addr) bool { return true } })
	ca := certstest.NewAuthority(t).Below()
	at := certstest.Responder(responder(t, ca))
	r.put("/apisix", "ssls/a", bundleObject(t, "a.example", ca.IssueWith("a.example", certstest.Elliptic(t), at)))
	r.put("/apisix", "ssls/b", bundleObject(t, "b.example", ca.IssueWith("b.example", certstest.Elliptic(t), at, certstest.MustStaple)))
	r.await(1, "unilb_ocsp_certificates", "state", "stapled")
	if r.stapled("b.example") == nil || r.stapled("a.example") != nil {
		t.Error("want a staple for the certificate that demands one, and none for the other")
	}
}

func TestResponderOnThisMachineIsNotAsked(t *testing.T) {
	r := startWith(t, EngineStd, func(o *Options) { o.OCSPStapling = true })
	ca := certstest.NewAuthority(t).Below()
	r.put("/apisix", "ssls/a", bundleObject(t, "a.example", ca.IssueWith("a.example", certstest.Elliptic(t), certstest.Responder(responder(t, ca)))))
	r.await(1, "unilb_ocsp_requests_total", "result", "failed")
	r.await(0, "unilb_ocsp_certificates", "state", "stapled")
}
