package exchange

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net/netip"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/certs"
)

func TestPathIsNormalisedAsNginxDoes(t *testing.T) {
	for raw, want := range map[string]string{
		"/": "/", "/a/b": "/a/b", "/a//b": "/a/b", "//": "/", "/a/./b": "/a/b", "/a/.": "/a/", "/a/..": "/", "/a/../b": "/b",
		"/a/b/../../c": "/c", "/%61": "/a", "/a%2Fb": "/a/b", "/a/%2e%2e/b": "/b", "/a%20b": "/a b", "/.a/..b": "/.a/..b",
		"/a/...": "/a/...", "/a/": "/a/", "/a%25b": "/a%b", "/a%3Fb": "/a?b", "/a/%2E/": "/a/", "/%2F%2Fa": "/a",
	} {
		var a Arena
		if got, err := NormalizePath(&a, raw); err != nil || got != want {
			t.Errorf("NormalizePath(%q) = %q, %v, want %q", raw, got, err, want)
		}
	}
	for _, raw := range []string{"", "a", "*", "/..", "/a/../..", "/%", "/%2", "/%zz", "/%00", "/a/%2e%2e/%2e%2e"} {
		var a Arena
		if got, err := NormalizePath(&a, raw); err == nil {
			t.Errorf("NormalizePath(%q) = %q, want an error", raw, got)
		}
	}
}

// FuzzNormalizePath compares with a naive twin made of the standard library.
func FuzzNormalizePath(f *testing.F) {
	for _, s := range []string{"/a/../b", "/%2e/x//", "/a/b/..", "/%41%zz", "/..//"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		var a Arena
		got, err := NormalizePath(&a, raw)
		want, ok := naivePath(raw)
		if (err == nil) != ok || got != want {
			t.Fatalf("%q = %q, %v; twin: %q, %v", raw, got, err, want, ok)
		}
	})
}

func naivePath(raw string) (string, bool) {
	p, err := url.PathUnescape(raw)
	if err != nil || !strings.HasPrefix(raw, "/") || strings.Contains(raw, "%00") {
		return "", false
	}
	depth := 0
	segs := strings.FieldsFunc(p, func(r rune) bool { return r == '/' })
	for _, s := range segs {
		switch s {
		case "..":
			depth--
		case ".":
		default:
			depth++
		}
		if depth < 0 {
			return "", false
		}
	}
	clean := path.Clean(p)
	last := ""
	if len(segs) > 0 {
		last = segs[len(segs)-1]
	}
	if clean != "/" && (strings.HasSuffix(p, "/") || last == "." || last == "..") {
		clean += "/"
	}
	return clean, true
}

func TestHostIsTheNameWithoutPortInLowerCase(t *testing.T) {
	for in, want := range map[string]string{"Shop.Example:8080": "shop.example", "a": "a", "": "", "[2001:DB8::1]:80": "[2001:db8::1]", "a.": "a", "a.:80": "a"} {
		var a Arena
		if got := HostName(&a, in); got != want {
			t.Errorf("HostName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestEditsSeeEarlierEdits(t *testing.T) {
	fields := Fields{{"A", "1"}, {"b", "2"}, {"B", "3"}, {"C", "4"}}
	var e Edits
	e.Add("D", "5")
	e.Set("B", "6")
	e.Remove("a")
	e.Set("C", "7")
	e.Set("c", "8")
	e.Remove("D")
	e.Add("D", "9")
	got := Apply(nil, fields, e)
	want := Fields{{"B", "6"}, {"c", "8"}, {"D", "9"}}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("field %d is %v, want %v", i, got[i], want[i])
		}
	}
}

func TestFieldNamesFoldOnlyASCII(t *testing.T) {
	if !EqualFold("X-Key", "x-kEY") || EqualFold("\u212a", "k") || EqualFold("@", "`") {
		t.Error("EqualFold folds too little or too much")
	}
}

func TestLookupsAllocateNothing(t *testing.T) {
	r := &Request{Fields: Fields{{"Host", "a"}, {"Accept", "*/*"}, {"Cookie", "a=1; sid=xyz"}}, Query: "a=1&b=2"}
	if n := testing.AllocsPerRun(100, func() {
		r.Fields.Get("cookie")
		r.Var("http_accept")
		r.Var("cookie_sid")
		r.Var("arg_b")
	}); n != 0 {
		t.Errorf("lookups allocate %v times", n)
	}
}

func TestVariables(t *testing.T) {
	r := &Request{Method: "GET", Scheme: "http", Authority: "Shop:80", Host: "shop", Target: "/a?x=1&x=2&d%61y=10%25+of%zz", Path: "/a", Query: "x=1&x=2&d%61y=10%25+of%zz",
		Proto: HTTP11, Remote: netip.MustParseAddrPort("10.0.0.1:5"), Local: netip.MustParseAddrPort("[2001:db8::1]:80"),
		Fields: Fields{{"X-A", "1"}, {"x-a", "2"}, {"Cookie", "Sid=abc; sid=def"}, {"Content-Type", "a/b"}, {"Authorization", "basic YW5uYTpzZWM6cmV0"}}, BodyLength: 7}
	for name, want := range map[string]string{"uri": "/a", "request_uri": "/a?x=1&x=2&d%61y=10%25+of%zz", "args": "x=1&x=2&d%61y=10%25+of%zz", "query_string": "x=1&x=2&d%61y=10%25+of%zz",
		"document_uri": "/a", "is_args": "?", "request": "GET /a?x=1&x=2&d%61y=10%25+of%zz HTTP/1.1", "content_type": "a/b", "content_length": "7",
		"http_content_length": "7", "remote_user": "anna", "arg_day": "10% of%zz", "host": "shop", "request_method": "GET",
		"remote_addr": "10.0.0.1", "remote_port": "5", "server_addr": "2001:db8::1", "server_port": "80", "http_x_a": "1, 2", "http_host": "Shop:80",
		"arg_x": "1", "cookie_sid": "def", "scheme": "http", "server_protocol": "HTTP/1.1", "real_request_uri": "/a?x=1&x=2&d%61y=10%25+of%zz"} {
		if got, ok := r.Var(name); !ok || got != want {
			t.Errorf("$%s = %q %v, want %q", name, got, ok, want)
		}
	}
	for _, name := range []string{"http_none", "arg_y", "cookie_SID", "nonsense", "https", "ssl_server_name", "ssl_protocol", "ssl_cipher", "ssl_session_reused", "uri_param_x", "arg_d%61y"} {
		if got, ok := r.Var(name); ok {
			t.Errorf("$%s = %q, want it absent", name, got)
		}
	}
}

func TestNamesOfFieldsInVariablesAreSpelledAsOneLikes(t *testing.T) {
	r := &Request{Authority: "Shop:80", Proto: HTTP11, BodyLength: -1, Fields: Fields{{"X-Canary", "blue"}, {"X_Under", "1"}, {"Cookie", "a=1"}, {"cookie", "b=2"}}}
	for name, want := range map[string]string{
		"http_x_canary": "blue", "http_X-Canary": "blue", "http_x-canary": "blue", "http_X_CANARY": "blue", "http_x-under": "1", "http_Host": "Shop:80",
		"http_cookie": "a=1; b=2", "http_Transfer-Encoding": "chunked",
	} {
		if got, ok := r.Var(name); !ok || got != want {
			t.Errorf("$%s = %q %v, want %q", name, got, ok, want)
		}
	}
	r.BodyLength = 3
	for name, want := range map[string]string{"http_Content-Length": "3", "http_transfer_encoding": ""} {
		if got, ok := r.Var(name); ok != (want != "") || ok && got != want {
			t.Errorf("$%s = %q %v, want %q", name, got, ok, want)
		}
	}
	for _, says := range []bool{false, true} {
		r.BodyLength, r.SaysEmpty = 0, says
		for _, name := range []string{"content_length", "http_content_length"} {
			if got, ok := r.Var(name); ok != says || ok && got != "0" {
				t.Errorf("$%s = %q %v of an empty body that the head tells of: %v", name, got, ok, says)
			}
		}
	}
	if n := testing.AllocsPerRun(100, func() { r.Var("http_X-Canary") }); n != 0 {
		t.Errorf("a lookup allocates %v times", n)
	}
}

func TestRequestURIHasThePathThatRoutesSee(t *testing.T) {
	for target, want := range map[string]string{
		"/a/b": "/a/b", "/a?x=%41": "/a?x=%41", "/a?": "/a", "//a/./b?x=//": "/a/b?x=//", "/%61?": "/a", "/a/../b?y": "/b?y", "/a%3Fb?c": "/a?b?c",
	} {
		var a Arena
		raw, query, _ := strings.Cut(target, "?")
		path, err := NormalizePath(&a, raw)
		r := &Request{Target: target, Path: path, Query: query}
		if got, ok := r.Var("request_uri"); !ok || got != want || err != nil {
			t.Errorf("%s: $request_uri = %q %v %v, want %q", target, got, ok, err, want)
		}
		if got, ok := r.Var("real_request_uri"); !ok || got != target {
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
		r := &Request{TLS: new(certs.Server).Conn(tc.state)}
		for i, name := range []string{"ssl_server_name", "ssl_protocol", "ssl_cipher", "ssl_session_reused"} {
			if got, ok := r.Var(name); got != tc.want[i] || ok != (got != "") {
				t.Errorf("%+v: $%s = %q, %v, want %q", tc.state, name, got, ok, tc.want[i])
			}
		}
	}
}

func TestRareVariables(t *testing.T) {
	r := &Request{Proto: HTTP11, Remote: netip.MustParseAddrPort("10.0.0.1:5")}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"server_name": "_", "hostname": host, "pid": strconv.Itoa(os.Getpid()), "http2": "", "binary_remote_addr": "\x0a\x00\x00\x01"} {
		if got, ok := r.Var(name); !ok || got != want {
			t.Errorf("$%s = %q %v, want %q", name, got, ok, want)
		}
	}
	id, _ := r.Var("request_id")
	again, _ := r.Var("apisix_request_id")
	other, _ := (&Request{}).Var("request_id")
	if len(id) != 32 || again != id || other == id {
		t.Errorf("$request_id = %q, then %q; of another request %q", id, again, other)
	}
	if got, ok := r.Var("ssl_client_verify"); ok {
		t.Errorf("$ssl_client_verify = %q without TLS", got)
	}
	r.Proto = HTTP2
	if got, _ := r.Var("http2"); got != "h2c" {
		t.Errorf("$http2 = %q, want h2c", got)
	}
	leaf := &x509.Certificate{Subject: pkix.Name{CommonName: "member", Organization: []string{"club"}}, Issuer: pkix.Name{CommonName: "club"}, SerialNumber: big.NewInt(10)}
	r.TLS = new(certs.Server).Conn(tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}})
	for name, want := range map[string]string{"http2": "h2", "ssl_client_verify": "FAILED:nobody has asked for it", "ssl_client_s_dn": "CN=member,O=club", "ssl_client_i_dn": "CN=club", "ssl_client_serial": "0A"} {
		if got, ok := r.Var(name); !ok || got != want {
			t.Errorf("$%s = %q %v, want %q", name, got, ok, want)
		}
	}
	r.TLS = new(certs.Server).Conn(tls.ConnectionState{})
	if got, _ := r.Var("ssl_client_verify"); got != "NONE" {
		t.Errorf("$ssl_client_verify = %q, want NONE", got)
	}
	for _, name := range []string{"ssl_client_s_dn", "ssl_client_serial", "ssl_client_nonsense", "ssl_session_id"} {
		if got, ok := r.Var(name); ok {
			t.Errorf("$%s = %q, want it absent", name, got)
		}
	}
}

func TestVariablesOfTheTimeAreWrittenAsNginxDoes(t *testing.T) {
	at := time.Date(2026, 3, 9, 7, 5, 1, 42_900_000, time.FixedZone("", -(3*3600+1800)))
	for name, want := range map[string]string{"time_iso8601": "2026-03-09T07:05:01-03:30", "time_local": "09/Mar/2026:07:05:01 -0330", "msec": "1773052501.042"} {
		if got, ok := (&Request{At: at}).Var(name); got != want || !ok {
			t.Errorf("$%s = %q, %v, want %q", name, got, ok, want)
		}
	}
	if got, ok := new(Request).Var("time_iso8601"); !ok || !strings.HasPrefix(got, "20") {
		t.Errorf("$time_iso8601 = %q, %v, want the time", got, ok)
	}
	if got, _ := (&Request{At: at.UTC()}).Var("time_iso8601"); got != "2026-03-09T10:35:01+00:00" {
		t.Errorf("in UTC: got %q", got)
	}
}

func TestRequestSeesOneTimeWithoutMemoryOfItsOwn(t *testing.T) {
	var x Exchange
	n := int64(0)
	ask := func() {
		n++
		x.Reset(0, nil)
		for i := range int64(3) { // conditions, as the clock goes on
			x.Now = time.Unix(1_773_052_500+10*n+i, 42_000_000)
			for name, want := range map[string]string{"msec": ".042", "time_local": " ", "time_iso8601": "T"} {
				if got, ok := x.Request.Var(name); !ok || !strings.Contains(got, want) {
					t.Fatalf("$%s = %q, %v", name, got, ok)
				}
			}
		}
	}
	if got := testing.AllocsPerRun(100, ask); got > 0 {
		t.Errorf("%v allocations a request, want none", got)
	}
	got, _ := x.Request.Var("msec")
	if want := strconv.FormatInt(1_773_052_500+10*n, 10) + ".042"; got != want {
		t.Errorf("$msec = %s, want %s, the time of the first condition", got, want)
	}
	x.Request.own(&x.Arena)
	if again, _ := x.Request.Var("msec"); again != got {
		t.Errorf("$msec = %s of a request that was kept, want %s", again, got)
	}
}

func TestArenaKeepsStringsApartAndIsReused(t *testing.T) {
	var a Arena
	x := a.Copy("hello")
	y := a.Concat(x, ", ", "world")
	big := a.Copy(strings.Repeat("z", ArenaKeep+1))
	z := a.Append(2, func(b []byte) []byte { return append(b, "longer than said"...) })
	if x != "hello" || y != "hello, world" || len(big) != ArenaKeep+1 || z != "longer than said" {
		t.Fatalf("arena holds %q %q %d %q", x, y, len(big), z)
	}
	a.Reset()
	if n := testing.AllocsPerRun(100, func() { a.Reset(); a.Copy("hello"); a.Concat("a", "b") }); n != 0 {
		t.Errorf("a warm arena allocates %v times", n)
	}
}

func TestOwnedRequestOutlivesTheBufferOfItsBatch(t *testing.T) {
	buf := []byte("ASK/path")
	var x Exchange
	x.Reset(0, nil)
	view := func(i, j int) string { return viewOf(buf[i:j]) }
	x.Request = Request{Method: view(0, 3), Path: view(3, 8), Fields: Fields{{view(0, 3), view(3, 8)}}}
	x.Own()
	for i := range buf {
		buf[i] = 0xDB
	}
	if x.Request.Method != "ASK" || x.Request.Path != "/path" || x.Request.Fields[0] != (Field{"ASK", "/path"}) {
		t.Errorf("owned request reads %+v", x.Request)
	}
}

func viewOf(b []byte) string {
	var a Arena
	a.buf = b[:0:len(b)]
	return a.Append(len(b), func(dst []byte) []byte { return dst[:len(b)] })
}

func TestFixedBodyIsYieldedOnce(t *testing.T) {
	var x Exchange
	x.Reset(0, nil)
	if v := x.RespondBytes(404, "text/plain", []byte("no")); v != Respond || x.Answer.BodyLength != 2 {
		t.Fatalf("verdict %d, length %d", v, x.Answer.BodyLength)
	}
	b, err := x.Body.Next()
	if string(b) != "no" || err != nil {
		t.Errorf("first chunk %q %v", b, err)
	}
	if _, err := x.Body.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the body: %v, want EOF", err)
	}
}
