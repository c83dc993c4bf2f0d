package h1

import (
	"errors"
	"fmt"
	"testing"
)

// TestEveryRowOfTheStrictParser has a row for each phrase of this list, in its order.
//
// Refused, and the connection closed: bare LF or bare CR; NUL, control bytes or DEL in
// values; white space before the colon; empty or non-token names; obs-fold; more than
// one space in the request line; versions other than 1.0 and 1.1; missing, repeated or
// malformed Host; any second Content-Length, signs, blanks, lists, overflow;
// Content-Length together with Transfer-Encoding; Transfer-Encoding other than exactly
// chunked, twice, or on HTTP/1.0; chunk sizes with sign, prefix or more than 15 digits;
// chunk lines not ended by CRLF; # in the target; more than 96 fields or 64 KiB of head;
// Connection naming Host, Content-Length or similar; trailer fields that frame, route or
// authorise. The status is 400 but where RFC 9110 or 6585 has a better one: see
// Reason.Status.
//
// Taken, in one way only: absolute-form whose authority differs from Host; such trailer
// fields when nobody announced them, which are dropped; names with underscore; chunk
// extensions, which are dropped. Answers of upstreams get the same rules.
//
// A head is looked at from its last line on, or a drip-feed would be quadratic:
// TestDripFedHeadIsLookedAtOnce. What needs a connection is a test of both engines in
// enginetest: total head time (headThatNeverEndsIsGivenUp), bytes after a response
// (whatFollowsAnAnswerIsNobodysAnswer), 101 only when asked
// (switchThatNobodyAskedForIsABadAnswer), early response while the request body still
// flows (earlyAnswerEndsTheConnectionToItsTarget), and the close behind a refusal
// (malformedRequestIsRefusedAndTheLast). Minimum
// body rate is the loop's alone: TestBodyThatDripsIsGivenUp there.
func TestEveryRowOfTheStrictParser(t *testing.T) {
	for kind, rows := range map[Kind][]strictRow{Request: strictRows, Answer: strictAnswerRows} {
		for _, row := range rows {
			t.Run([]string{"request", "answer"}[kind]+"/"+row.name, func(t *testing.T) {
				for _, text := range row.text {
					refused(t, kind, text, row.want, row.line)
				}
			})
		}
	}
	for _, row := range takenRows {
		t.Run("request/"+row.name, func(t *testing.T) {
			for _, text := range row.text {
				r := read(Request, text)
				if r.err != nil || len(r.got) != 1 || !r.got[0].Whole {
					t.Errorf("got %s, want one request of %q", r, text)
				} else if got := row.see(r.got[0]); got != row.want {
					t.Errorf("got %s, want %s, of %q", got, row.want, text)
				}
			}
		})
	}
}

// takenRows are what may be read in one way only, and is read so.
var takenRows = []struct {
	name string
	see  func(message) string
	want string
	text []string
}{
	{"absolute-form whose authority differs from Host", func(m message) string {
		return m.Target + " of " + m.Authority + ", routed as " + m.Host + fmt.Sprint(m.Fields)
	}, "/x?y of B:80, routed as b[]",
		[]string{line("GET http://B:80/x?y HTTP/1.1"), "GET HTTP://B:80/x?y HTTP/1.1\r\nHost: a.example:8080\r\n\r\n", "GET http://B:80/x?y HTTP/1.0\r\nHost: [::1]\r\n\r\n", "GET http://B:80/x?y HTTP/1.0\r\n\r\n"}},
	{"trailer fields that frame, route or authorise, unannounced", func(m message) string { return m.Body + fmt.Sprint(m.Fields, m.Trailers) }, "hello[] [{X-Sum 1}]",
		[]string{chunks("5\r\nhello\r\n0\r\nContent-Length: 9\r\nX-Sum: 1\r\n\r\n"), chunks("5\r\nhello\r\n0\r\ntransfer-encoding: gzip\r\nX-Sum: 1\r\nHOST: b\r\n\r\n"),
			chunks("5\r\nhello\r\n0\r\nX-Sum: 1\r\nAuthorization: Basic eA==\r\nproxy-authorization: x\r\nCookie: a=b\r\nX-Forwarded-For: ::1\r\n\r\n")}},
	{"names with underscore", func(m message) string { return fmt.Sprint(m.Fields, m.Length) }, "[{x_forwarded_for ::1} {Content_Length 5} {Transfer_Encoding chunked}] 0",
		[]string{head("x_forwarded_for: ::1\r\nContent_Length: 5\r\nTransfer_Encoding: chunked\r\n")}},
	{"chunk extensions", func(m message) string { return m.Body + fmt.Sprint(m.Fields, m.Trailers) }, "hello![] []",
		[]string{chunks("5;a\r\nhello\r\n1;b=c;d=\"e;\\\"\"\r\n!\r\n0;f\r\n\r\n"), chunks("5; a = \"\" ;b\r\nhello\r\n1\r\n!\r\n0\r\n\r\n")}},
}

func refused(t *testing.T, kind Kind, text string, want Reason, line int) {
	t.Helper()
	err := read(kind, text).err
	if got := (Malformed{}); !errors.As(err, &got) || got != (Malformed{want, line}) {
		t.Errorf("got %v, want %v in line %d, of %.300q", err, want, line, text)
	}
}

func TestReasonsHaveWordsAndStatuses(t *testing.T) {
	seen := map[string]bool{}
	for r := NoReason; r < lastReason; r++ {
		if s := r.String(); s == "" || s == "unknown" || seen[s] {
			t.Errorf("reason %d has the word %q", r, s)
		}
		seen[r.String()] = true
		if s := r.Status(); s < 400 || Phrase(s) == "" {
			t.Errorf("%v is answered %d", r, s)
		}
	}
	if s := Reason(200).String(); s != "unknown" {
		t.Errorf("got %q of no reason", s)
	}
	if got, want := (Malformed{ReasonFold, 3}).Error(), "malformed message: fold in line 3"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := ReasonOf(fmt.Errorf("read: %w", Malformed{ReasonCut, 0})); got != ReasonCut {
		t.Errorf("got %v of a wrapped refusal", got)
	}
	if got := ReasonOf(errors.New("x")); got != NoReason {
		t.Errorf("got %v of another error", got)
	}
}
