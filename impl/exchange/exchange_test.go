package exchange

import (
	"errors"
	"io"
	"net/url"
	"path"
	"strings"
	"testing"
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
	fields := Fields{{"Host", "a"}, {"Cookie", "a=1; sid=xyz"}}
	if n := testing.AllocsPerRun(100, func() { fields.Get("cookie") }); n != 0 {
		t.Errorf("lookups allocate %v times", n)
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
