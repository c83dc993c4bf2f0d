package enginetest

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// idleClientsAreSentAway: a connection lives on between requests for as long as the idle
// limit, and no longer.
func idleClientsAreSentAway(t *testing.T, start Starter) {
	const limit, slack = 400 * time.Millisecond, 20 * time.Second
	up := Backend(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	h := NewHandler(up)
	_, addr := start(t, Options{Handler: h, IdleTimeout: limit})
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(2 * slack)) // sockets take them
	br, begun := bufio.NewReader(c), time.Time{}
	for range 3 {
		begun = time.Now()
		if _, err := io.WriteString(c, plain); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(br, nil)
		if err != nil || resp.StatusCode != http.StatusNoContent {
			t.Fatalf("answer %+v, %v, want 204", resp, err)
		}
		_ = resp.Body.Close() // it has none
		<-h.Done
	}
	b, err := io.ReadAll(br)
	if took := time.Since(begun); err != nil || len(b) > 0 || took < limit || took > slack {
		t.Errorf("the connection ended after %s with %q, %v, want its end without a word after %s", took, b, err, limit)
	}
}
