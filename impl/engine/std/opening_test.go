package std

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// pieces is a connection that is read piece by piece.
type pieces struct {
	net.Conn // never used: a call that is not expected panics
	rest     []string
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.rest[0])
	p.rest = p.rest[1:]
	return n, nil
}

func TestRequestsWaitUntilSettingsHaveBeenActedOn(t *testing.T) {
	settings := "\x00\x00\x06\x04\x00\x00\x00\x00\x00" + "\x00\x03\x00\x00\x00\x02" // two streams at a time
	for name, in := range map[string][]string{
		"at once":          {settings},
		"byte by byte":     strings.Split(settings, ""),
		"with what follow": {settings + "\x00\x00\x00\x04\x01\x00\x00\x00\x00"},
		"without settings": {"\x00\x00\x00\x04\x00\x00\x00\x00\x00"},
		"behind its head":  {settings[:9], settings[9:]},
	} {
		o := &opening{Conn: &pieces{rest: append(in, "more")}, done: make(chan struct{})}
		for i := range in {
			if _, err := o.Read(make([]byte, 4096)); err != nil {
				t.Fatal(err)
			}
			select {
			case <-o.done:
				t.Errorf("%s: done after piece %d, which may not have been acted on", name, i)
			default:
			}
		}
		if _, err := o.Read(make([]byte, 4096)); err != nil {
			t.Fatal(err)
		}
		ctx := context.WithValue(t.Context(), connectKey{}, time.Minute)
		if err := o.wait(ctx); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTargetThatSaysNothingOrEndsIsNotConnected(t *testing.T) {
	ctx := context.WithValue(t.Context(), connectKey{}, time.Millisecond)
	var failed *dialError
	silent := &opening{done: make(chan struct{})}
	if err := silent.wait(ctx); !errors.As(err, &failed) || !failed.timeout {
		t.Errorf("a silent target: %v, want a timeout", err)
	}
	ended := &opening{Conn: &pieces{}, done: make(chan struct{})}
	_, _ = ended.Read(make([]byte, 10)) // wait tells
	if err := ended.wait(ctx); !errors.As(err, &failed) || failed.timeout {
		t.Errorf("a target that ends: %v", err)
	}
}
