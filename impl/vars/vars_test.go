package vars

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/certs"
	"github.com/unilb/unilb/impl/exchange"
)

// fields are those of names and values in turn.
func fields(texts ...string) (f exchange.Fields) {
	for i := 0; i < len(texts); i += 2 {
		f = append(f, exchange.Field{Name: texts[i], Value: texts[i+1]})
	}
	return f
}

func TestLookupsAllocateNothing(t *testing.T) {
	v := of(exchange.Request{Fields: fields("Host", "a", "Accept", "*/*", "Cookie", "a=1; sid=xyz"), Query: "a=1&b=2"})
	if n := testing.AllocsPerRun(100, func() {
		v.Var("http_accept")
		v.Var("cookie_sid")
		v.Var("arg_b")
	}); n != 0 {
		t.Errorf("lookups allocate %v times", n)
	}
}

func TestVariables(t *testing.T) {
	v := of(exchange.Request{Method: "GET", Scheme: "http", Authority: "Shop:80", Host: "shop", Target: "/a?x=1&x=2&d%61y=10%25+of%zz", Path: "/a", Query: "x=1&x=2&d%61y=10%25+of%zz",
		Proto: exchange.HTTP11, Remote: netip.MustParseAddrPort("10.0.0.1:5"), Local: netip.MustParseAddrPort("[2001:db8::1]:80"),
		Fields: fields("X-A", "1", "x-a", "2", "Cookie", "Sid=abc; sid=def", "Content-Type", "a/b", "Authorization", "basic YW5uYTpzZWM6cmV0"), BodyLength: 7})
	for name, want := range map[string]string{"uri": "/a", "request_uri": "/a?x=1&x=2&d%61y=10%25+of%zz", "args": "x=1&x=2&d%61y=10%25+of%zz", "query_string": "x=1&x=2&d%61y=10%25+of%zz",
		"document_uri": "/a", "is_args": "?", "request": "GET /a?x=1&x=2&d%61y=10%25+of%zz HTTP/1.1", "content_type": "a/b", "content_length": "7",
		"http_content_length": "7", "remote_user": "anna", "arg_day": "10% of%zz", "host": "shop", "request_method": "GET",
		"remote_addr": "10.0.0.1", "remote_port": "5", "server_addr": "2001:db8::1", "server_port": "80", "http_x_a": "1, 2", "http_host": "Shop:80",
		"arg_x": "1", "cookie_sid": "def", "scheme": "http", "server_protocol": "HTTP/1.1", "real_request_uri": "/a?x=1&x=2&d%61y=10%25+of%zz"} {
		if got, ok := v.Var(name); !ok || got != want {
			t.Errorf("$%s = %q %v, want %q", name, got, ok, want)
		}
	}
	for _, name := range []string{"http_none", "arg_y", "cookie_SID", "nonsense", "https", "ssl_server_name", "ssl_protocol", "ssl_cipher", "ssl_session_reused", "uri_param_x", "arg_d%61y"} {
		if got, ok := v.Var(name); ok {
			t.Errorf("$%s = %q, want it absent", name, got)
		}
	}
}

func TestNamesOfFieldsInVariablesAreSpelledAsOneLikes(t *testing.T) {
	v := of(exchange.Request{Authority: "Shop:80", Proto: exchange.HTTP11, BodyLength: -1, Fields: fields("X-Canary", "blue", "X_Under", "1", "Cookie", "a=1", "cookie", "b=2")})
	r := &v.x.Request
	for name, want := range map[string]string{
		"http_x_canary": "blue", "http_X-Canary": "blue", "http_x-canary": "blue", "http_X_CANARY": "blue", "http_x-under": "1", "http_Host": "Shop:80",
		"http_cookie": "a=1; b=2", "http_Transfer-Encoding": "chunked",
	} {
		if got, ok := v.Var(name); !ok || got != want {
			t.Errorf("$%s = %q %v, want %q", name, got, ok, want)
		}
	}
	r.BodyLength = 3
	for name, want := range map[string]string{"http_Content-Length": "3", "http_transfer_encoding": ""} {
		if got, ok := v.Var(name); ok != (want != "") || ok && got != want {
			t.Errorf("$%s = %q %v, want %q", name, got, ok, want)
		}
	}
	for _, says := range []bool{false, true} {
		r.BodyLength, r.SaysEmpty = 0, says
		for _, name := range []string{"content_length", "http_content_length"} {
			if got, ok := v.Var(name); ok != says || ok && got != "0" {
				t.Errorf("$%s = %q %v of an empty body that the head tells of: %v", name, got, ok, says)
			}
		}
	}
	if n := testing.AllocsPerRun(100, func() { v.Var("http_X-Canary") }); n != 0 {
		t.Errorf("a lookup allocates %v times", n)
	}
}

func TestRequestURIHasThePathThatRoutesSee(t *testing.T) {
	for target, want := range map[string]string{
		"/a/b": "/a/b", "/a?x=%41": "/a?x=%41", "/a?": "/a", "//a/./b?x=//": "/a/b?x=//", "/%61?": "/a", "/a/../b?y": "/b?y", "/a%3Fb?c": "/a?b?c",
	} {
		var a exchange.Arena
		raw, query, _ := strings.Cut(target, "?")
		path, err := exchange.NormalizePath(&a, raw)
		v := of(exchange.Request{Target: target, Path: path, Query: query})
		if got, ok := v.Var("request_uri"); !ok || got != want || err != nil {
			t.Errorf("%s: $request_uri = %q %v %v, want %q", target, got, ok, err, want)
		}
		if got, ok := v.Var("real_request_uri"); !ok || got != target {
			t.Errorf("%s: $real_request_uri = %q %v", target, got, ok)
		}
	}
}

func TestVariablesOfTheConnection(t *testing.T) {
	for _, tc := range []struct {
		state tls.ConnectionState
		want  [4]string // name, protocol, cipher, reused
	}{
		{tls.ConnectionState{ServerName: "Shop.example", Version: tls.VersionTLS13, CipherSuite: tls.TLS_AES_128_GCM_SHA256}, [4]string{"shop.example", "TLSv1.3", "TLS_AES_128_GCM_SHA256", "."}},
		{tls.ConnectionState{Version: tls.VersionTLS12, CipherSuite: tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, DidResume: true}, [4]string{"", "TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384", "r"}},
		{tls.ConnectionState{ServerName: "asked.example"}, [4]string{"asked.example"}}, // of a question, which no connection brought
	} {
		v := of(exchange.Request{TLS: new(certs.Server).Conn(tc.state)})
		for i, name := range []string{"ssl_server_name", "ssl_protocol", "ssl_cipher", "ssl_session_reused"} {
			if got, ok := v.Var(name); got != tc.want[i] || ok != (got != "") {
				t.Errorf("%+v: $%s = %q, %v, want %q", tc.state, name, got, ok, tc.want[i])
			}
		}
	}
}

func TestRareVariables(t *testing.T) {
	v := of(exchange.Request{Proto: exchange.HTTP11, Remote: netip.MustParseAddrPort("10.0.0.1:5")})
	r := &v.x.Request
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"server_name": "_", "hostname": host, "pid": strconv.Itoa(os.Getpid()), "http2": "", "binary_remote_addr": "\x0a\x00\x00\x01"} {
		if got, ok := v.Var(name); !ok || got != want {
			t.Errorf("$%s = %q %v, want %q", name, got, ok, want)
		}
	}
	id, _ := v.Var("request_id")
	again, _ := v.Var("apisix_request_id")
	other, _ := of(exchange.Request{}).Var("request_id")
	if len(id) != 32 || again != id || other == id {
		t.Errorf("$request_id = %q, then %q; of another request %q", id, again, other)
	}
	if got, ok := v.Var("ssl_client_verify"); ok {
		t.Errorf("$ssl_client_verify = %q without TLS", got)
	}
	r.Proto = exchange.HTTP2
	if got, _ := v.Var("http2"); got != "h2c" {
		t.Errorf("$http2 = %q, want h2c", got)
	}
	leaf := &x509.Certificate{Subject: pkix.Name{CommonName: "member", Organization: []string{"club"}}, Issuer: pkix.Name{CommonName: "club"}, SerialNumber: big.NewInt(10)}
	r.TLS = new(certs.Server).Conn(tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}})
	for name, want := range map[string]string{"http2": "h2", "ssl_client_verify": "FAILED:nobody has asked for it", "ssl_client_s_dn": "CN=member,O=club", "ssl_client_i_dn": "CN=club", "ssl_client_serial": "0A"} {
		if got, ok := v.Var(name); !ok || got != want {
			t.Errorf("$%s = %q %v, want %q", name, got, ok, want)
		}
	}
	r.TLS = new(certs.Server).Conn(tls.ConnectionState{})
	if got, _ := v.Var("ssl_client_verify"); got != "NONE" {
		t.Errorf("$ssl_client_verify = %q, want NONE", got)
	}
	for _, name := range []string{"ssl_client_s_dn", "ssl_client_serial", "ssl_client_nonsense", "ssl_session_id"} {
		if got, ok := v.Var(name); ok {
			t.Errorf("$%s = %q, want it absent", name, got)
		}
	}
}

// at is a request of that time.
func at(when time.Time) *Request {
	v := of(exchange.Request{})
	v.x.Now = when
	return v
}

func TestVariablesOfTheTimeAreWrittenAsNginxDoes(t *testing.T) {
	when := time.Date(2026, 3, 9, 7, 5, 1, 42_900_000, time.FixedZone("", -(3*3600+1800)))
	for name, want := range map[string]string{"time_iso8601": "2026-03-09T07:05:01-03:30", "time_local": "09/Mar/2026:07:05:01 -0330", "msec": "1773052501.042"} {
		if got, ok := at(when).Var(name); got != want || !ok {
			t.Errorf("$%s = %q, %v, want %q", name, got, ok, want)
		}
	}
	if got, _ := at(when.UTC()).Var("time_iso8601"); got != "2026-03-09T10:35:01+00:00" {
		t.Errorf("in UTC: got %q", got)
	}
}

func TestRequestSeesOneTimeWithoutMemoryOfItsOwn(t *testing.T) {
	var x exchange.Exchange
	var v Request // its owner's, as x is
	n := int64(0)
	ask := func() {
		n++
		x.Reset(0, nil)
		v = Of(&x)
		for i := range int64(3) { // conditions, as the clock goes on
			x.Now = time.Unix(1_773_052_500+10*n+i, 42_000_000)
			for name, want := range map[string]string{"msec": ".042", "time_local": " ", "time_iso8601": "T"} {
				if got, ok := v.Var(name); !ok || !strings.Contains(got, want) {
					t.Fatalf("$%s = %q, %v", name, got, ok)
				}
			}
		}
	}
	if got := testing.AllocsPerRun(100, ask); got > 0 {
		t.Errorf("%v allocations a request, want none", got)
	}
	got, _ := v.Var("msec")
	if want := strconv.FormatInt(1_773_052_500+10*n, 10) + ".042"; got != want {
		t.Errorf("$msec = %s, want %s, the time of the first condition", got, want)
	}
	x.Own()
	if again, _ := v.Var("msec"); again != got {
		t.Errorf("$msec = %s of a request that was kept, want %s", again, got)
	}
}
