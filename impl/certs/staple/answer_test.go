package staple

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/unilb/unilb/impl/certs/certstest"
)

func TestOnlyAGoodAnswerOfWhoIsEntitledIsTaken(t *testing.T) {
	now := time.Now()
	root := certstest.NewAuthority(t)
	ca, other := root.Below(), root.Below()
	key := func() func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning} }
	}()
	late := func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) }
	leaf := ca.Issue("a.example", certstest.Elliptic(t)).Leaf
	delegate, sibling := ca.IssueWith("answers", certstest.Elliptic(t), key), ca.Issue("sibling", certstest.Elliptic(t))
	formerly, foreign := ca.IssueWith("answers", certstest.Elliptic(t), key, late), other.IssueWith("answers", certstest.Elliptic(t), key)
	good := ocsp.Response{Status: ocsp.Good, SerialNumber: leaf.SerialNumber, ThisUpdate: now.Add(-time.Minute), NextUpdate: now.Add(time.Minute)}
	with := func(change func(*ocsp.Response)) ocsp.Response { r := good; change(&r); return r }
	damaged := ca.Says(good)
	damaged[len(damaged)-1] ^= 1
	for _, tc := range []struct {
		how  string
		raw  []byte
		want string // part of the refusal; empty: it is taken
	}{
		{"good", ca.Says(good), ""},
		{"by a delegate", ca.Says(good, delegate), ""},
		{"of a clock ahead", ca.Says(with(func(r *ocsp.Response) { r.ThisUpdate = now.Add(4 * time.Minute); r.NextUpdate = now.Add(time.Hour) })), ""},
		{"without an end", ca.Says(with(func(r *ocsp.Response) { r.NextUpdate = time.Time{} })), ""},
		{"without an end, old", ca.Says(with(func(r *ocsp.Response) { r.NextUpdate, r.ThisUpdate = time.Time{}, now.Add(-holds-time.Second) })), "has held until"},
		{"revoked", ca.Says(with(func(r *ocsp.Response) { r.Status, r.RevokedAt = ocsp.Revoked, now.Add(-time.Hour) })), "is revoked since"},
		{"unknown", ca.Says(with(func(r *ocsp.Response) { r.Status = ocsp.Unknown })), "does not know"},
		{"expired", ca.Says(with(func(r *ocsp.Response) { r.NextUpdate = now.Add(-time.Second) })), "has held until"},
		{"of the future", ca.Says(with(func(r *ocsp.Response) { r.ThisUpdate = now.Add(10 * time.Minute); r.NextUpdate = now.Add(time.Hour) })), "begins to hold"},
		{"of another certificate", ca.Says(with(func(r *ocsp.Response) { r.SerialNumber = sibling.Leaf.SerialNumber })), "no response matching"},
		{"damaged", damaged, "bad OCSP signature"},
		{"forged by another authority", other.Says(good), "bad OCSP signature"},
		{"by a delegate of another authority", ca.Says(good, foreign), "bad OCSP signature"},
		{"by a sibling that is no delegate", ca.Says(good, sibling), "not for answers"},
		{"by a delegate of former times", ca.Says(good, formerly), "does not hold now"},
		{"an error", ocsp.TryLaterErrorResponse, "try later"},
		{"with something behind it", append(ca.Says(good), 0), "trailing data"},
		{"nothing", nil, "asn1"},
		{"garbage", []byte("<html>Not Found</html>"), "asn1"},
	} {
		a, err := read(tc.raw, leaf, ca.Cert, now)
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.how, err, tc.want)
		}
		if err == nil && (string(a.raw) != string(tc.raw) || !a.until.After(now)) || err != nil && a.raw != nil {
			t.Errorf("%s: answer %+v, %v", tc.how, a, err)
		}
	}
}

func FuzzAnswersAreNotTakenUnlessTheySayGood(f *testing.F) {
	now := time.Now()
	ca := certstest.NewAuthority(f).Below()
	leaf := ca.Issue("a.example", certstest.Elliptic(f)).Leaf
	good := ca.Says(ocsp.Response{Status: ocsp.Good, SerialNumber: leaf.SerialNumber, ThisUpdate: now, NextUpdate: now.Add(time.Hour)})
	f.Add(0, byte(0))
	f.Fuzz(func(t *testing.T, at int, x byte) {
		b := append([]byte(nil), good...)
		if at < 0 || at >= len(b) {
			return
		}
		b[at] ^= x
		a, err := read(b, leaf, ca.Cert, now)
		if err == nil && (!a.since.Equal(now.UTC().Truncate(time.Second)) || !a.until.Equal(now.Add(time.Hour).UTC().Truncate(time.Second))) {
			t.Errorf("byte %d xor %d: taken as %v to %v", at, x, a.since, a.until)
		}
	})
}

func TestWhatIsAskedOfWhom(t *testing.T) {
	ca := certstest.NewAuthority(t).Below()
	stranger := certstest.NewAuthority(t).Below()
	at := certstest.Responder
	issue := func(more ...func(*x509.Certificate)) tls.Certificate {
		return ca.IssueWith("a.example", certstest.Elliptic(t), more...)
	}
	alone, confused := issue(at("http://r.example")), issue(at("http://r.example"))
	alone.Certificate, confused.Certificate = alone.Certificate[:1], [][]byte{confused.Certificate[0], stranger.Cert.Raw, []byte("garbage"), ca.Cert.Raw}
	for _, tc := range []struct {
		how  string
		pair tls.Certificate
		all  bool
		want string // responders, "-" for nothing to ask, or the reason
	}{
		{"a responder", issue(at("http://r.example/a")), true, "http://r.example/a"},
		{"a responder, stapling is off", issue(at("http://r.example/a")), false, "-"},
		{"a responder and the demand, stapling is off", issue(at("https://r.example"), certstest.MustStaple), false, "https://r.example"},
		{"no responder", issue(), true, "-"},
		{"no responder and the demand", issue(certstest.MustStaple), false, errNoResponder.Error()},
		{"responders of other kinds first", issue(at("ldap://r.example"), at("file:///etc/passwd"), at("http://"), at("http://me:secret@r.example"), at("http://b.example")), true, "http://b.example"},
		{"too many of them", issue(at("http://1"), at("http://2"), at("http://3"), at("http://4")), true, "http://1 http://2 http://3"},
		{"one that is too long", issue(at("http://r.example/" + strings.Repeat("a", longestURL))), true, errNoResponder.Error()},
		{"no issuer", alone, true, errNoIssuer.Error()},
		{"others above it, too", confused, true, "http://r.example"},
		{"its own authority", certstest.SelfSigned(t, "a.example"), true, "-"},
		{"not parsed", tls.Certificate{Certificate: alone.Certificate}, true, "-"},
	} {
		o, err := newOrder(pairOf(t, tc.pair), tc.all)
		got := "-"
		switch {
		case err != nil:
			got = err.Error()
		case o != nil:
			var urls []string
			for _, u := range o.responders {
				urls = append(urls, u.String())
			}
			got = strings.Join(urls, " ")
			r, err := ocsp.ParseRequest(o.request)
			if err != nil || r.SerialNumber.Cmp(tc.pair.Leaf.SerialNumber) != 0 || !o.issuer.Equal(ca.Cert) {
				t.Errorf("%s: asks %+v, %v", tc.how, r, err)
			}
		}
		if got != tc.want {
			t.Errorf("%s: %s, want %s", tc.how, got, tc.want)
		}
	}
}
