package loop

import (
	"bytes"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// large is a target that answers with so many bytes of a seeded stream, in pieces, and
// breaks off after cut of them.
func large(t *testing.T, size, cut int) (addr string, sum [32]byte) {
	t.Helper()
	body := make([]byte, size)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(body)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(size))
		for at := 0; at < cut; {
			n := min(100_000, cut-at)
			if _, err := w.Write(body[at : at+n]); err != nil {
				return
			}
			at += n
			_ = http.NewResponseController(w).Flush()
		}
		if cut < size {
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String(), sha256.Sum256(body)
}

// slow reads a little, and then all the rest.
type slow struct {
	io.Reader
	reads int
}

func (s *slow) Read(b []byte) (int, error) {
	if s.reads++; s.reads < 50 {
		b = b[:min(len(b), 1000)]
	}
	return s.Reader.Read(b)
}

func TestLargeBodyIsWholeAndTheConnectionGoesOn(t *testing.T) {
	const size = 12 << 20
	target, want := large(t, size, size)
	h := &plain{&exchange.Target{Name: target, Pool: exchange.Pool{Address: target, IdleConns: 8, IdleTimeout: time.Minute}}}
	e, addr := startLoops(t, Options{Handler: h})
	client := &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{}).DialContext}}
	defer client.CloseIdleConnections()
	for i := range 3 {
		resp, err := client.Get("http://" + addr + "/")
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.New()
		n, err := io.Copy(sum, &slow{Reader: resp.Body})
		_ = resp.Body.Close()
		if err != nil || n != size || !bytes.Equal(sum.Sum(nil), want[:]) {
			t.Fatalf("answer %d: %d bytes, %v, the same bytes: %t", i, n, err, bytes.Equal(sum.Sum(nil), want[:]))
		}
	}
	if got := e.spliced.Load(); got < size {
		t.Errorf("%d bytes were moved by the kernel, want most of %d", got, 3*size)
	}
}

func TestLargeBodyThatBreaksOffIsCut(t *testing.T) {
	const size = 4 << 20
	target, _ := large(t, size, size/2)
	h := &plain{&exchange.Target{Name: target, Pool: exchange.Pool{Address: target, IdleConns: 8, IdleTimeout: time.Minute}}}
	_, addr := startLoops(t, Options{Handler: h})
	resp, err := http.Get("http://" + addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); err == nil {
		t.Errorf("half an answer reads as whole: %d bytes", n)
	}
}
