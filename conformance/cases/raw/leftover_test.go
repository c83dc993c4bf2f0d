package raw

import (
	"io"
	"net"
	"testing"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
)

// What lies behind a request becomes the beginning of somebody else's: it is
// evidence also when it never becomes a request itself.
func TestBytesBehindARequestAreEvidence(t *testing.T) {
	whole := "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, c := range []struct {
		name, text       string
		requests, doubts int
		begun            string
	}{
		{"nothing", whole, 1, 0, ""},
		{"the next request", whole + whole, 2, 0, ""},
		{"a cut word", whole + "G", 1, 1, ""},
		{"a cut line", whole + "GET /smuggled HTTP/1.1\r\nHost", 1, 1, ""},
		{"behind two", whole + whole + "X-Ignore: ", 2, 1, ""},
		{"a line that is none", whole + "0\r\n\r\n", 1, 1, ""},
		{"a body that is cut", whole + head + "Content-Length: 5\r\n\r\nhel", 1, 0, "hel"},
		{"a chunk that is cut", whole + head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", 1, 0, "5\r\nhel"},
		{"a chunk that is none", whole + head + "Transfer-Encoding: chunked\r\n\r\nhello\r\n", 1, 1, ""},
		{"a cut head alone", "GET /a HTT", 0, 0, ""},
	} {
		for _, ends := range []bool{false, true} {
			b := newPlayed(t)
			peer, ours := net.Pipe()
			s := &stream{}
			b.conns[ours] = s
			read := make(chan struct{})
			go func() { _, _ = io.Copy(io.Discard, peer); close(read) }()
			s.b = []byte(c.text)
			if goes := b.read(ours, s); ends || !goes {
				b.ended(ours, s)
			}
			got := b.Take()
			begun := ""
			for _, r := range got.Begun {
				begun += string(r.Body)
			}
			if len(got.Requests) != c.requests || len(got.Doubts) != c.doubts || begun != c.begun {
				t.Errorf("%s, ended %v: got %d requests, doubts %q, begun %q; want %d, %d, %q", c.name, ends, len(got.Requests), got.Doubts, begun, c.requests, c.doubts, c.begun)
			}
			if again := b.Take(); len(again.Doubts)+len(again.Begun)+len(again.Requests) != 0 {
				t.Errorf("%s, ended %v: the second time got %+v, want nothing", c.name, ends, again)
			}
			_ = ours.Close()
			<-read
		}
	}
}

func newPlayed(t *testing.T) *Backend {
	return &Backend{
		ref: "idc/bj/played", rec: history.NewRecorder(history.NewClock()), l: spec.Stage{Backend: spec.Backend{Ref: "idc/bj/played"}},
		done: make(chan struct{}), script: (*Backend).Echo, conns: map[net.Conn]*stream{},
	}
}
