package enginetest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/impl/exchange"
)

// A front is where a test of clients that speak HTTP/2 runs: with TLS, where it is agreed
// on, or without, where it is known before.
type front struct {
	start  Starter
	secure bool
}

// RunHTTP2Clients runs all tests of clients that speak HTTP/2. The Starter follows
// Options.HTTP2.
func RunHTTP2Clients(t *testing.T, start Starter) {
	for name, f := range map[string]func(*testing.T, front){
		"RequestsAndAnswersPass":                     h2RequestsAndAnswersPass,
		"LengthOfZeroIsTold":                         h2LengthOfZeroIsTold,
		"RequestsKnowWhatTheyCameOver":               h2RequestsKnowWhatTheyCameOver,
		"BodiesFlowBothWaysAtOnceOnManyStreams":      h2BodiesFlowOnManyStreams,
		"TrailersPass":                               h2TrailersPass,
		"InterimAnswersReachTheClient":               h2InterimAnswersReachTheClient,
		"ExpectationIsMet":                           h2ExpectationIsMet,
		"AnswersWithoutABodyHaveNone":                h2AnswersWithoutABody,
		"FieldsOfAConnectionAreNotPassedOn":          h2FieldsOfAConnectionAreNotPassedOn,
		"MalformedHeadsAreRefused":                   h2MalformedHeadsAreRefused,
		"ConnectIsNotAllowed":                        h2ConnectIsNotAllowed,
		"BodyOfAnotherLengthIsNone":                  h2BodyOfAnotherLengthIsNone,
		"TooLongABodyIsRefused":                      h2TooLongABodyIsRefused,
		"EarlyAnswerEndsItsStreamOnly":               h2EarlyAnswerEndsItsStreamOnly,
		"ClientThatResetsAStreamEndsItsRequestOnly":  h2ClientThatResetsAStream,
		"ClientThatLeavesEndsItsRequests":            h2ClientThatLeaves,
		"AnswerThatBreaksOffResetsItsStream":         h2AnswerThatBreaksOff,
		"ConnectFailureIsTriedAgainWithTheBody":      h2ConnectFailureIsTriedAgain,
		"StreamThatIsNotReadHoldsUpNoOther":          h2StreamThatIsNotRead,
		"HeadOfAnAnswerNeedsNoWindow":                h2HeadOfAnAnswerNeedsNoWindow,
		"AnswerThatIsTakenByTheByteIsGivenUp":        h2AnswerTakenByTheByte,
		"AnswerOfWhichNothingIsTakenIsGivenUp":       h2AnswerOfWhichNothingIsTaken,
		"ClientThatReadsNothingIsGivenUp":            h2ClientThatReadsNothing,
		"BodyThatStopsIsGivenUp":                     h2BodyThatStops,
		"StreamMayPauseLongerThanItsLimits":          h2StreamMayPause,
		"IdleClientIsSentAway":                       h2IdleClientIsSentAway,
		"ClientIsSentAwayAtOnceAndItsStreamEnds":     h2ClientIsSentAwayAtOnce,
		"ClientsAreSentAwayByAnswersOfADrainingNode": h2AnswersOfADrainingNode,
		"ShutdownLosesNoStream":                      h2ShutdownLosesNoStream,
		"ConnectionCountsOnce":                       h2ConnectionCountsOnce,
		"BodyIsShownWhole":                           h2BodyIsShownWhole,
		"TooLongABodyIsSentOnWhole":                  h2TooLongABodyIsSentOnWhole,
		"BodyHoldsUpNoOther":                         h2BodyHoldsUpNoOther,
		"ClientThatWaitsIsToldToSend":                h2ClientThatWaitsIsToldToSend,
		"BodyThatEndsBadlyIsShownToNobody":           h2BodyThatEndsBadly,
		"BodyHasItsTimeFromWhenItIsAskedFor":         h2BodyHasItsTimeFromWhenItIsAskedFor,
		"BodyThatStopsWhileItIsCollectedIsGivenUp":   h2BodyThatStopsWhileItIsCollected,
		"AnswerToABodyEndsItsStreamOnly":             h2AnswerToABodyEndsItsStreamOnly,
		"TooLongABodyForTheEngineIsRefused":          h2TooLongABodyForTheEngine,
		"BodiesAreChargedAsTheyCome":                 h2BodiesAreChargedAsTheyCome,
		"BodyThatStopsGivesBackWhatItHeld":           h2BodyThatStopsGivesBackWhatItHeld,
		"NoRoomLeavesTheConnectionItsWindow":         h2NoRoomLeavesTheConnectionItsWindow,
	} {
		t.Run(name, func(t *testing.T) { f(t, front{start: start}) })
		t.Run("TLS/"+name, func(t *testing.T) { f(t, front{start: start, secure: true}) })
	}
	for name, f := range map[string]func(*testing.T, Starter){
		"VersionIsAgreedOnInTheHandshake":       h2VersionIsAgreedOn,
		"VersionThatWasNotAgreedOnIsNotServed":  h2VersionThatWasNotAgreedOn,
		"HTTP1IsServedBesideIt":                 h2HTTP1IsServedBesideIt,
		"HTTP2IsNotServedWhereItIsNotAskedFor":  h2NotServedWhereItIsNotAskedFor,
		"PrefaceInPiecesIsThePreface":           h2PrefaceInPieces,
		"ClientThatStopsInItsPrefaceIsSentAway": h2ClientThatStopsInItsPreface,
	} {
		t.Run(name, func(t *testing.T) { f(t, start) })
	}
}

// serve starts the engine and returns where.
func (f front) serve(t *testing.T, o Options) (e Engine, url string) {
	t.Helper()
	o.HTTP2 = true
	scheme := "http://"
	if f.secure {
		scheme, o.TLS = "https://", secured(t, "h2", "http/1.1")
	}
	e, addr := f.start(t, o)
	return e, scheme + addr
}

// client speaks HTTP/2 and nothing else.
func (f front) client(t *testing.T) *http.Client {
	t.Helper()
	c := clientOf(t, (*http.Protocols).SetUnencryptedHTTP2)
	if f.secure {
		c = clientOf(t, (*http.Protocols).SetHTTP2)
	}
	tr := c.Transport.(*http.Transport)
	tr.TLSClientConfig, tr.ExpectContinueTimeout = trusting.Clone(), time.Minute
	return c
}

// dialed is a client of which the test writes the frames.
type dialed struct {
	*http2.Framer
	t *testing.T
}

func (f front) dial(t *testing.T, url string, settings ...http2.Setting) dialed {
	t.Helper()
	c, _ := f.connect(t, url, settings...)
	return c
}

// connect is dial, with what is below the frames.
func (f front) connect(t *testing.T, url string, settings ...http2.Setting) (dialed, net.Conn) {
	t.Helper()
	framer, conn := dialHTTP2(t, url, settings...)
	return dialed{framer, t}, conn
}

// head begins a stream, and ends it if end.
func (c dialed) head(stream uint32, end bool, fields ...string) {
	c.t.Helper()
	if err := c.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: Block(fields...), EndStream: end, EndHeaders: true}); err != nil {
		c.t.Fatal(err)
	}
}

// ask sends a whole request without a body.
func (c dialed) ask(stream uint32, method, path string) {
	c.t.Helper()
	c.head(stream, true, ":method", method, ":scheme", "http", ":authority", "shop.example", ":path", path)
}

// next returns the next frame of a stream.
func (c dialed) next(stream uint32) http2.Frame {
	c.t.Helper()
	return NextFrame(c.t, c.Framer, stream)
}

// body reads the rest of an answer whose head was read.
func (c dialed) body(stream uint32) string {
	c.t.Helper()
	for got := ""; ; {
		f, ok := c.next(stream).(*http2.DataFrame)
		if !ok {
			c.t.Fatalf("the answer on stream %d does not go on behind %q", stream, got)
		}
		if got += string(f.Data()); f.StreamEnded() {
			return got
		}
	}
}

// goneAway reads until the engine asks for no more requests.
func (c dialed) goneAway() {
	c.t.Helper()
	for {
		f, err := c.ReadFrame()
		if err != nil {
			c.t.Fatalf("waiting for GOAWAY: %v", err)
		}
		if f, ok := f.(*http2.GoAwayFrame); ok {
			if f.ErrCode != http2.ErrCodeNo {
				c.t.Errorf("GOAWAY with %s", f.ErrCode)
			}
			return
		}
	}
}

func saysOK(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }

func h2RequestsAndAnswersPass(t *testing.T, f front) {
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Add("X-Multi", "1")
		w.Header().Add("X-Multi", "2")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, "%s %s %s host=%s body=%s cookie=%q trailer=%v", r.Method, r.RequestURI, r.Proto, r.Host, body, r.Header["Cookie"], r.Trailer)
	})
	_, url := f.serve(t, Options{Handler: NewHandler(up)})
	c := f.client(t)
	req, _ := http.NewRequest(http.MethodPost, url+"/a%2Fb//c?x=%20&y", strings.NewReader("hello"))
	req.Host = "h.example:81"
	req.Header.Set("Cookie", "a=1; b=2")
	resp, err := c.Do(req)
	got := whole(t, resp, err)
	if want := `POST /a%2Fb//c?x=%20&y HTTP/1.1 host=h.example:81 body=hello cookie=["a=1; b=2"] trailer=map[]`; got != want {
		t.Errorf("the target saw %q, want %q", got, want)
	}
	if resp.ProtoMajor != 2 || resp.StatusCode != http.StatusCreated || fmt.Sprint(resp.Header["X-Multi"]) != "[1 2]" || resp.Header.Get("Date") == "" {
		t.Errorf("answer %s %s %v", resp.Proto, resp.Status, resp.Header)
	}
	for _, method := range []string{http.MethodHead, http.MethodDelete, http.MethodOptions} {
		req, _ := http.NewRequest(method, url+"/", nil)
		resp, err := c.Do(req)
		if b := whole(t, resp, err); resp.StatusCode != http.StatusCreated || (method == http.MethodHead) != (b == "") {
			t.Errorf("%s: %s %q", method, resp.Status, b)
		}
	}
}

func h2RequestsKnowWhatTheyCameOver(t *testing.T, f front) {
	h := NewHandler(Backend(t, saysOK))
	seen := make(chan string, 1)
	h.suspend = func(x *exchange.Exchange) {
		r := &x.Request
		seen <- fmt.Sprint(r.Proto, " ", r.Scheme, " ", r.TLS != nil, " ", r.Authority, " ", r.Host, " ", r.Remote.IsValid(), " ", r.Local.IsValid(), " ", r.BodyLength)
		x.Resume()
	}
	_, url := f.serve(t, Options{Handler: h})
	req, _ := http.NewRequest(http.MethodGet, url, nil)
	req.Host = "Shop.Example:8443"
	resp, err := f.client(t).Do(req)
	if got := whole(t, resp, err); got != "ok" {
		t.Errorf("body %q", got)
	}
	want := fmt.Sprint(exchange.HTTP2, " http false Shop.Example:8443 shop.example true true 0")
	if f.secure {
		want = fmt.Sprint(exchange.HTTP2, " https true Shop.Example:8443 shop.example true true 0")
	}
	if got := <-seen; got != want {
		t.Errorf("the handler saw %q, want %q", got, want)
	}
}
