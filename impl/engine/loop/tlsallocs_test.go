package loop

import (
	"bytes"
	"runtime"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// What crypto/tls allocates for a request and its answer is 24 bytes each time that it
// looks for a record (see TestLibraryAllocatesOneSmallThingForARecord). The loop has it
// look in vain before there is a request, and then for its record; the client of the
// test, which is of this program, has it look for that of the answer. It takes nothing
// to encrypt.
const librarysTimes, librarysSize = 3, 3 * 24

func TestRequestPathOverTLSAllocatesWhatTheLibraryDoes(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4)) // a waiting loop keeps one
	const answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
	target := parrot(t, answer)
	h := &plain{&exchange.Target{Name: target, Pool: exchange.Pool{Address: target, IdleConns: 8, IdleTimeout: time.Minute}}}
	_, addr := startLoops(t, Options{Handler: h, TLS: securedA(t)})
	for name, request := range map[string]string{
		"get":  "GET /a/b?c=d HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: t\r\nAccept: */*\r\n\r\n",
		"post": "POST /a/b HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 5\r\n\r\nhello",
	} {
		_, c := dialA(t, addr)
		out, in := []byte(request), make([]byte, 4096)
		mayAllocate(t, name, librarysTimes, librarysSize, func() {
			if _, err := c.Write(out); err != nil {
				t.Fatal(err)
			}
			for got := 0; !bytes.HasSuffix(in[:got], []byte("hello")); {
				n, err := c.Read(in[got:])
				if err != nil || n == 0 {
					t.Fatalf("%s: %v after %q", name, err, in[:got])
				}
				got += n
			}
		})
	}
}
