package h2

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// with is a plain request with further lines, or with one of its pseudo fields given
// another value ("" leaves it out).
func with(lines ...string) []string {
	out := slices.Clone(get)
	for _, l := range lines {
		name, value, _ := strings.Cut(l[1:], ": ")
		name = l[:1] + name
		i := slices.IndexFunc(out, func(o string) bool { return strings.HasPrefix(o, name+": ") })
		switch {
		case i < 0 || name[0] != ':':
			out = append(out, l)
		case value == "":
			out = slices.Delete(out, i, i+1)
		default:
			out[i] = l
		}
	}
	return out
}

// TestStrictReaderRefuses has a row for everything that makes a request malformed.
func TestStrictReaderRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		want  Reason
		lines [][]string
	}{
		"a name with capitals":         {ReasonUpperCase, [][]string{with("X-a: b"), with("x-A: b"), with("Content-length: 0")}},
		"a name that is no token":      {ReasonName, [][]string{with("x y: b"), with("x\x00: b"), with("x\xff: b"), with("x(: b"), with("x\r\na: b")}},
		"control bytes in a value":     {ReasonControl, [][]string{with("x: a\x00b"), with("x: a\rb"), with("x: a\nb"), with("x: a\x7fb"), with("x: a\x01b"), with("te: trailers\x00")}},
		"white space around a value":   {ReasonBlank, [][]string{with("x:  a"), with("x: a "), with("x: \ta"), with("x: a\t"), with("x:  "), with("content-length:  5")}},
		"fields of connections":        {ReasonConnection, [][]string{with("connection: close"), with("keep-alive: 5"), with("proxy-connection: x"), with("transfer-encoding: chunked"), with("upgrade: h2c"), with("connection: ")}},
		"another TE than trailers":     {ReasonTE, [][]string{with("te: gzip"), with("te: trailers, gzip"), with("te: "), with("te: Trailers")}},
		"an unknown pseudo field":      {ReasonPseudo, [][]string{append([]string{":test: x"}, get...), append([]string{":status: 200"}, get...), append([]string{":protocol: websocket"}, get...), append([]string{":Method: GET"}, get...), append([]string{":: x"}, get...)}},
		"a repeated pseudo field":      {ReasonPseudoRepeated, [][]string{append([]string{":method: GET"}, get...), append([]string{":path: /"}, get...), append([]string{":scheme: http"}, get...), append([]string{":authority: a.example"}, get...)}},
		"a pseudo field behind others": {ReasonPseudoOrder, [][]string{with("x: y", ":path: ")[:4:4], nil}},
		"a missing pseudo field":       {ReasonPseudoMissing, [][]string{with(":method: "), with(":scheme: "), with(":path: "), with(":scheme: ", ":path: "), {":method: CONNECT"}}},
		"a method that is no token":    {ReasonMethod, [][]string{with(":method: GE T"), with(":method: G\x00T"), with(":method: " + strings.Repeat("G", 33)), {":method: ", ":scheme: http", ":path: /", ":authority: a"}}},
		"another scheme":               {ReasonScheme, [][]string{with(":scheme: ftp"), with(":scheme: htt"), {":method: GET", ":scheme: ", ":path: /", ":authority: a"}}},
		"a bad :path":                  {ReasonTarget, [][]string{with(":path: *"), with(":path: a"), with(":path: /a b"), with(":path: /a#b"), with(":path: /\x00"), with(":path: /a\x7f"), with(":path: http://a/"), with(":path: /a\r\nx"), {":method: GET", ":scheme: http", ":path: ", ":authority: a"}, {":method: OPTIONS", ":scheme: http", ":path: *", ":authority: a"}}},
		"a path that nobody may ask":   {ReasonPath, [][]string{with(":path: /%zz"), with(":path: /%0"), with(":path: /%00"), with(":path: /.."), with(":path: /a/%2e%2e/../..")}},
		"CONNECT with a path":          {ReasonPseudo, [][]string{with(":method: CONNECT"), with(":method: CONNECT", ":scheme: "), with(":method: CONNECT", ":path: ")}},
		"CONNECT without a port":       {ReasonTarget, [][]string{{":method: CONNECT", ":authority: a"}, {":method: CONNECT", ":authority: a:"}}},
		"a bad authority":              {ReasonHost, [][]string{with(":authority: u@a"), with(":authority: a b"), with(":authority: a:b"), with(":authority: a:99999"), with(":authority: a/b"), with(":authority: [::1"), with(":authority: a%2fb"), {":method: GET", ":scheme: http", ":path: /", ":authority: "}}},
		"a bad Host":                   {ReasonHost, [][]string{with("host: u@a.example"), with("host: "), with(":authority: ", "host: a b"), with(":authority: ", "host: ")}},
		"no host":                      {ReasonHostMissing, [][]string{with(":authority: ")}},
		"two Hosts":                    {ReasonHostRepeated, [][]string{with("host: a.example", "host: a.example"), with(":authority: ", "host: a", "host: b")}},
		"another Host than :authority": {ReasonHostDiffers, [][]string{with("host: b.example"), with("host: a.example:81"), with("host: a.example:443"), with("host: a.example.")}},
		"a bad length":                 {ReasonLength, [][]string{with("content-length: "), with("content-length: +1"), with("content-length: -1"), with("content-length: 1,1"), with("content-length: 0x1"), with("content-length: 9999999999999999999")}},
		"two lengths":                  {ReasonLengthRepeated, [][]string{with("content-length: 0", "content-length: 0")}},
		"a length without a body":      {ReasonLengthDiffers, [][]string{with("content-length: 1")}},
		"a trailer that misleads":      {ReasonTrailer, [][]string{with("trailer: x, Content-Length"), with("trailer: transfer-encoding"), with("trailer: trailer"), with("trailer: x, Host"), with("trailer: authorization")}},
		"a head that is too long":      {ReasonHeadTooLong, [][]string{with("x: " + strings.Repeat("y", 64<<10)), append(slices.Clone(get), slices.Repeat([]string{"x: " + strings.Repeat("y", 1000)}, 64)...)}},
		"more than 96 fields":          {ReasonTooManyFields, [][]string{append(slices.Clone(get), slices.Repeat([]string{"x: y"}, 97)...)}},
	} {
		for _, lines := range c.lines {
			if name == "a pseudo field behind others" {
				lines = []string{":method: GET", ":scheme: http", "x: y", ":path: /", ":authority: a"}
			}
			m, w := greeted(Options{})
			// What stands in the table of header compression must still be right after it.
			m.feed(w.headers(1, true, with("x-kept: 1")...).take())
			block := w.encode(lines...)
			m.feed(framed(3, true, block))
			m.feed(w.headers(5, true, with("x-kept: 1")...).take())
			if m.err != nil || len(m.log) != 3 || m.log[1] != fmt.Sprintf("refuse 3: %s", c.want) || strings.TrimPrefix(m.log[0], "request 1") != strings.TrimPrefix(m.log[2], "request 5") {
				t.Errorf("%s: got %.300q, %v, want %v of %.100q", name, m.log, m.err, c.want, lines)
				continue
			}
			out := m.sent()
			want := "reset 3 PROTOCOL_ERROR"
			if status := c.want.Status(); status != 0 {
				want = fmt.Sprintf("headers 3 [:status: %d] end", status)
			}
			same(t, name, out, want)
			if got := m.c.Streams(); got != 2 {
				t.Errorf("%s: %d streams are open, want 2", name, got)
			}
		}
	}
}

// framed makes the frames of a block, of any size.
func framed(id uint32, end bool, block []byte) []byte {
	b := append(appendHeader(nil, 0, 0, 0, 0), block...)
	return endBlock(b, 0, id, endFlag(end))
}

func TestStreamThatDependsOnItselfIsRefused(t *testing.T) {
	m, w := greeted(Options{})
	w.raw(kindHeaders, flagPriority|flagEndHeaders|flagEndStream, 1, "\x00\x00\x00\x01\x10"+string(w.encode(with("x: kept")...)))
	m.feed(w.headers(3, true, with("x: kept")...).take())
	if m.err != nil || len(m.log) != 2 || m.log[0] != "refuse 1: dependency" || !strings.Contains(m.log[1], `{"x" "kept"}`) {
		t.Errorf("got %q, %v", m.log, m.err)
	}
	same(t, "frames", m.sent(), "reset 1 PROTOCOL_ERROR")
}

// TestStreamEndsWith has a row for each rule whose breach ends a stream that is open.
func TestStreamEndsWith(t *testing.T) {
	length := append(slices.Clone(post), "content-length: 5")
	for name, c := range map[string]struct {
		want Reason
		send func(w *wire) *wire
	}{
		"DATA behind the end":               {ReasonClosed, func(w *wire) *wire { return w.headers(1, true, get...).data(1, false, "x") }},
		"HEADERS behind the end":            {ReasonClosed, func(w *wire) *wire { return w.headers(1, true, get...).headers(1, true, "x: y") }},
		"a body that is too long":           {ReasonLengthDiffers, func(w *wire) *wire { return w.headers(1, false, length...).data(1, false, "hello!") }},
		"a body that is too long in pieces": {ReasonLengthDiffers, func(w *wire) *wire { return w.headers(1, false, length...).data(1, false, "hell").data(1, false, "o!") }},
		"a body that is too short":          {ReasonLengthDiffers, func(w *wire) *wire { return w.headers(1, false, length...).data(1, true, "hell") }},
		"a body that is missing":            {ReasonLengthDiffers, func(w *wire) *wire { return w.headers(1, false, length...).data(1, true, "") }},
		"a short body with trailers": {ReasonLengthDiffers, func(w *wire) *wire {
			return w.headers(1, false, length...).data(1, false, "hell").headers(1, true, "x: y")
		}},
		"more DATA than the window":         {ReasonWindow, func(w *wire) *wire { return w.headers(1, false, post...).data(1, false, strings.Repeat("x", 101)) }},
		"trailers that do not end":          {ReasonTrailers, func(w *wire) *wire { return w.headers(1, false, post...).headers(1, false, "x: y") }},
		"a pseudo field in trailers":        {ReasonPseudo, func(w *wire) *wire { return w.headers(1, false, post...).headers(1, true, ":path: /") }},
		"capitals in trailers":              {ReasonUpperCase, func(w *wire) *wire { return w.headers(1, false, post...).headers(1, true, "X: y") }},
		"a control byte in trailers":        {ReasonControl, func(w *wire) *wire { return w.headers(1, false, post...).headers(1, true, "x: \x00") }},
		"fields of connections in trailers": {ReasonConnection, func(w *wire) *wire { return w.headers(1, false, post...).headers(1, true, "connection: x") }},
		"more than 32 trailers": {ReasonTrailersLong, func(w *wire) *wire {
			return w.headers(1, false, post...).headers(1, true, slices.Repeat([]string{"x: y"}, 33)...)
		}},
		"trailers of more than 8 KiB": {ReasonTrailersLong, func(w *wire) *wire {
			return w.headers(1, false, post...).headers(1, true, "x: "+strings.Repeat("y", 8<<10))
		}},
		"WINDOW_UPDATE by 0": {ReasonIncrement, func(w *wire) *wire {
			return w.headers(1, false, post...).raw(kindWindowUpdate, 0, 1, "\x00\x00\x00\x00")
		}},
		"a window beyond 2^31-1": {ReasonWindow, func(w *wire) *wire { return w.headers(1, false, post...).window(1, 1<<31-1) }},
		"trailers that depend on themselves": {ReasonDependency, func(w *wire) *wire {
			return w.headers(1, false, post...).raw(kindHeaders, flagPriority|flagEndHeaders|flagEndStream, 1, "\x00\x00\x00\x01\x10\x00\x01x\x01y")
		}},
	} {
		m, w := greeted(Options{StreamWindow: 100})
		m.feed(c.send(w).headers(3, true, get...).take())
		if m.err != nil || !slices.Contains(m.log, fmt.Sprintf("reset 1: %s %s", c.want, c.want.Code())) {
			t.Errorf("%s: got %q, %v, want %v", name, m.log, m.err, c.want)
			continue
		}
		if !strings.HasPrefix(m.log[len(m.log)-1], "request 3") {
			t.Errorf("%s: got %q, want the other stream to begin", name, m.log)
		}
		same(t, name, m.sent(), fmt.Sprintf("reset 1 %s", c.want.Code()))
		if m.streams[1] != nil || m.c.Streams() != 1 {
			t.Errorf("%s: the stream is still open", name)
		}
		// What was on its way is passed over, and does not end the connection.
		m.feed(w.data(1, false, "late").window(1, 7).headers(1, true, "x-late: 1").headers(5, true, with("x-late: 1")...).take())
		if m.err != nil || !strings.Contains(m.log[len(m.log)-1], `{"x-late" "1"}`) {
			t.Errorf("%s: what was on its way: got %q, %v", name, m.log[len(m.log)-1], m.err)
		}
		m.feed(w.data(1, false, "later").take())
		if ReasonOf(m.err) != ReasonClosed {
			t.Errorf("%s: behind the client's end: got %v", name, m.err)
		}
	}
}
