package enginetest

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A bench is where a test of targets that speak HTTP/2 runs: between a client of one
// protocol and targets with TLS or without.
type bench struct {
	start  Starter
	client func(t *testing.T) *http.Client
	secure bool // targets speak TLS
	two    bool // clients speak HTTP/2
}

// RunHTTP2Targets runs all tests of targets that speak HTTP/2, with clients of HTTP/1.1,
// and with those of HTTP/2 too when both is set: the Starter then follows
// Options.HTTP2.
func RunHTTP2Targets(t *testing.T, start Starter, both bool) {
	for name, f := range map[string]func(*testing.T, bench){
		"LargeHeadsPass":                      h2LargeHeadsPass,
		"SmallWindowsAreObeyed":               h2SmallWindowsAreObeyed,
		"WholeAnswerBeforeAResetIsWhole":      h2WholeAnswerBeforeAResetIsWhole,
		"PaddingAndPingsAreNoBody":            h2PaddingAndPingsAreNoBody,
		"TargetThatTakesNoMoreIsATimeout":     h2TargetThatTakesNoMoreIsATimeout,
		"TooLargeAHeadIsABadAnswer":           h2TooLargeAHeadIsABadAnswer,
		"RequestAndAnswerPass":                h2RequestAndAnswerPass,
		"TrailersPassBothWays":                h2TrailersPassBothWays,
		"AnswerOfOneHeadIsWhole":              h2AnswerOfOneHeadIsWhole,
		"AnswersWithoutBodiesHaveNone":        h2AnswersWithoutBodiesHaveNone,
		"LengthOfAnAnswerNotModifiedIsNoBody": h2LengthOfAnAnswerNotModifiedIsNoBody,
		"InterimAnswersPass":                  h2InterimAnswersPass,
		"UpgradeIsNotAskedFor":                h2UpgradeIsNotAskedFor,
		"MessagesGoToAndFroOneByOne":          h2MessagesGoToAndFroOneByOne,
		"LargeBodiesPassBothWaysAtOnce":       h2LargeBodiesPassBothWaysAtOnce,
		"RequestsShareAConnection":            h2RequestsShareAConnection,
		"StreamsBeyondTheBoundWait":           h2StreamsBeyondTheBoundWait,
		"EarlyAnswerArrives":                  h2EarlyAnswerArrives,
		"SlowClientHoldsUpNobodyElse":         h2SlowClientHoldsUpNobodyElse,
		"ClientThatLeavesEndsItsStream":       h2ClientThatLeavesEndsItsStream,
		"SilentTargetIsATimeout":              h2SilentTargetIsATimeout,
		"RequestBeyondGoAwayIsSentAnew":       h2RequestBeyondGoAwayIsSentAnew,
		"StreamsBelowGoAwayEnd":               h2StreamsBelowGoAwayEnd,
		"RefusedPostIsTriedAgain":             h2RefusedPostIsTriedAgain,
		"PostThatWasResetIsNotTriedAgain":     h2PostThatWasResetIsNotTriedAgain,
		"ResetWhileTheClientIsSlowIsSeen":     h2ResetWhileTheClientIsSlowIsSeen,
		"ResetInABodyCutsTheAnswer":           h2ResetInABodyCutsTheAnswer,
		"TargetOfHTTP1IsNoTarget":             h2TargetOfHTTP1IsNoTarget,
		"AnswerThatIsNoneIsABadAnswer":        h2AnswerThatIsNoneIsABadAnswer,
		"ConnectionThatHasEndedIsNotTaken":    h2ConnectionThatHasEndedIsNotTaken,
		"BodyThatWasShownReachesItsTarget":    h2BodyThatWasShownReachesItsTarget,
	} {
		t.Run(name, func(t *testing.T) {
			for _, secure := range []bool{false, true} {
				b := bench{start: start, secure: secure, client: version1}
				t.Run("HTTP1to"+map[bool]string{false: "H2C", true: "H2"}[secure], func(t *testing.T) { f(t, b) })
				if both {
					b.client, b.two = HTTP2Client, true
					t.Run("HTTP2to"+map[bool]string{false: "H2C", true: "H2"}[secure], func(t *testing.T) { f(t, b) })
				}
			}
		})
	}
}

func version1(t *testing.T) *http.Client { return clientOf(t, (*http.Protocols).SetHTTP1) }

// HTTP2Client speaks HTTP/2 and nothing else, without TLS.
func HTTP2Client(t *testing.T) *http.Client {
	return clientOf(t, (*http.Protocols).SetUnencryptedHTTP2)
}

func clientOf(t *testing.T, set func(*http.Protocols, bool)) *http.Client {
	tr := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
	set(tr.Protocols, true)
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: time.Minute}
}

// handler forwards to targets that speak HTTP/2.
func (b bench) handler(targets ...string) *Handler {
	h := NewHandler(targets...)
	h.http2, h.tls = true, b.secure
	return h
}

// serve starts the engine and returns where.
func (b bench) serve(t *testing.T, h *Handler) (url string) {
	t.Helper()
	_, addr := b.start(t, Options{Handler: h, HTTP2: b.two})
	return "http://" + addr
}

// target serves HTTP/2, and nothing else, as the library does.
func (b bench) target(t *testing.T, f http.HandlerFunc, change ...func(*http.Server)) string {
	t.Helper()
	return HTTP2Target(t, b.secure, f, change...)
}

// HTTP2Target is a server of the library's that speaks HTTP/2 and nothing else, with TLS if
// secure.
func HTTP2Target(t *testing.T, secure bool, f http.HandlerFunc, change ...func(*http.Server)) string {
	t.Helper()
	s := httptest.NewUnstartedServer(f)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP2(secure)
	s.Config.Protocols.SetUnencryptedHTTP2(!secure)
	for _, c := range change {
		c(s.Config)
	}
	if secure {
		s.TLS = &tls.Config{Certificates: []tls.Certificate{SelfSigned(t, "a.example")}, NextProtos: []string{"h2"}}
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// whole reads an answer to its end.
func whole(t *testing.T, resp *http.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%d, then %v after %d bytes", resp.StatusCode, err, len(body))
	}
	return string(body)
}

// post sends a body of unknown length.
func post(t *testing.T, c *http.Client, url, body string) (int, string) {
	t.Helper()
	resp, err := c.Post(url, "", io.MultiReader(strings.NewReader(body)))
	text := whole(t, resp, err)
	return resp.StatusCode, text
}
