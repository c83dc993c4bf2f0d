package loop

import (
	"io"
	"net/http"
	"testing"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/impl/engine/enginetest"
	"github.com/unilb/unilb/impl/exchange"
)

// starving is a client of HTTP/2 whose streams take nothing of their answers' bodies
// before it says so.
type starving struct {
	*http2.Framer
	t *testing.T
}

func starve(t *testing.T, url string) *starving {
	t.Helper()
	return &starving{enginetest.DialHTTP2(t, url, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}), t}
}

// ask begins a stream.
func (s *starving) ask(stream uint32, method, path string) {
	s.t.Helper()
	s.head(stream, true, ":method", method, ":scheme", "http", ":authority", "shop.example", ":path", path)
}

// head begins a stream with whatever fields, which perhaps also ends it.
func (s *starving) head(stream uint32, end bool, fields ...string) {
	s.t.Helper()
	if err := s.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: enginetest.Block(fields...), EndStream: end, EndHeaders: true}); err != nil {
		s.t.Fatal(err)
	}
}

// next returns the next frame of a stream.
func (s *starving) next(stream uint32) http2.Frame {
	s.t.Helper()
	return enginetest.NextFrame(s.t, s.Framer, stream)
}

func TestHTTP2StreamsThatTakeNothingHoldLittle(t *testing.T) {
	const streams, size, most = 60, 256 << 10, 60 * (bufferSize + leastRead)
	asked := make(chan struct{}, streams)
	up := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		_, _ = w.Write(make([]byte, size))
	})
	e, url := startBoth(t, Options{Handler: enginetest.NewHandler(up)})
	s := starve(t, url)
	for i := range streams {
		s.ask(uint32(2*i+1), http.MethodGet, "/")
	}
	for range streams {
		<-asked
		if f, ok := s.nextOfAny().(*http2.HeadersFrame); !ok {
			t.Fatalf("got %v, want the head of an answer", f)
		}
	}
	held := func() (n int) {
		l := e.loops[0]
		if err := l.ask(func() error {
			for c := range l.clients {
				for _, s := range c.mux.streams {
					n += cap(s.out)
					if s.run == nil {
						continue
					}
					if u, ok := s.run.b.(*upstream); ok {
						n += cap(u.in)
					}
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := held(); n > most {
		t.Errorf("%d streams hold %d bytes, want at most %d", streams, n, most)
	}
	// And all of it comes when it is wanted.
	if err := s.WriteWindowUpdate(0, streams*size); err != nil {
		t.Fatal(err)
	}
	for i := range streams {
		if err := s.WriteWindowUpdate(uint32(2*i+1), size); err != nil {
			t.Fatal(err)
		}
	}
	for got, ended := 0, 0; ended < streams; {
		if f, ok := s.nextOfAny().(*http2.DataFrame); ok {
			got += len(f.Data())
			if f.StreamEnded() {
				ended++
			}
			if ended == streams && got != streams*size {
				t.Errorf("got %d bytes, want %d", got, streams*size)
			}
		}
	}
}

// nextOfAny returns the next frame that belongs to a stream.
func (s *starving) nextOfAny() http2.Frame {
	s.t.Helper()
	for {
		f, err := s.ReadFrame()
		if err != nil {
			s.t.Fatalf("waiting for a frame: %v", err)
		}
		if _, ok := f.(*http2.WindowUpdateFrame); f.Header().StreamID != 0 && !ok {
			return f
		}
	}
}

func TestHTTP2BodyThatIsNoneHasAReason(t *testing.T) {
	up := answering(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	h := enginetest.NewHandler(up)
	e, url := startBoth(t, Options{Handler: h})
	s := starve(t, url)
	s.head(1, false, ":method", "POST", ":scheme", "http", ":authority", "shop.example", ":path", "/", "content-length", "3")
	if err := s.WriteData(1, true, []byte("four")); err != nil {
		t.Fatal(err)
	}
	if f, ok := s.next(1).(*http2.RSTStreamFrame); !ok {
		t.Errorf("got %v, want a reset", f)
	}
	const want = "h2_length_differs"
	if r := <-h.Done; r.Refused != want || !r.Cut || r.CutReason != exchange.CutClientMalformed {
		t.Errorf("record %+v (%s), want cut and refused as %s", r, r.CutReason, want)
	}
	if n := e.Refused()[want]; n != 1 {
		t.Errorf("%s is counted %d times, want once", want, n)
	}
}
