package h2

import (
	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// request writes the head of a request to a target.
func (e *encoder) request(b []byte, x *exchange.Exchange, a Ask) []byte {
	r := &x.Request
	b = e.method(b, r.Method)
	if a.Scheme == "https" {
		b = append(b, 0x80|indexHTTPS)
	} else {
		b = append(b, 0x80|indexHTTP)
	}
	if host := x.Plan.Host; host != "" {
		b = e.field(b, ":authority", host)
	}
	b = e.path(b, r.Target)
	b, has := e.fields(b, r.Fields, x.RequestEdits, true)
	if has&foundTrailers != 0 {
		b = append(b, "\x00\x02te\x08trailers"...)
	}
	if a.Length >= 0 {
		b = e.length(b, a.Length)
	}
	if !a.End {
		b = e.announce(b, a.Trailer)
	}
	return b
}

func (e *encoder) method(b []byte, method string) []byte {
	switch method {
	case "GET":
		return append(b, 0x80|indexGet)
	case "POST":
		return append(b, 0x80|indexPost)
	}
	return appendText(append(b, indexMethod), method)
}

func (e *encoder) path(b []byte, target string) []byte {
	switch {
	case target == "/":
		return append(b, 0x80|indexPath)
	case !h1.IsTarget(target):
		target = string(h1.AppendTarget(nil, target)) // rare: parsers let none through
	}
	return appendText(append(b, indexPath), target)
}

// answerHead makes the response of what was heard. Fields are all but what frames the
// body, as in h1.ParseAnswer.
func (k *block) answerHead(r *exchange.Response, method string, end bool) (AnswerHead, Reason) {
	if k.bad != NoReason {
		return AnswerHead{}, k.bad
	}
	if k.given&pseudoStatus == 0 {
		return AnswerHead{}, ReasonPseudoMissing
	}
	if r.Status = statusOf(k.status); r.Status == 0 || r.Status == 101 { // which HTTP/2 does not have
		return AnswerHead{}, ReasonStatus
	}
	body := follows(r.Status, method)
	switch {
	case r.Status < 200 && end:
		return AnswerHead{}, ReasonHeadMissing
	case end && body && k.length > 0:
		return AnswerHead{}, ReasonLengthDiffers
	}
	r.BodyLength = k.length
	if end && method != "HEAD" || !h1.BodyFollows(r.Status) {
		r.BodyLength = 0
	}
	return AnswerHead{End: end, Length: k.length, Trailer: k.trailer}, NoReason
}

// follows tells whether an answer of the status has a body.
func follows(status int, method string) bool { return h1.BodyFollows(status) && method != "HEAD" }

// statusOf reads a status; 0: it is none.
func statusOf(s string) int {
	if len(s) != 3 || s[0] < '1' || s[0] > '9' || s[1]-'0' > 9 || s[2]-'0' > 9 {
		return 0
	}
	return int(s[0]-'0')*100 + int(s[1]-'0')*10 + int(s[2]-'0')
}

// hearOfAnswer takes a field of an answer and tells whether it belongs to those that the
// pipeline sees. What it refuses is in bad.
func (k *block) hearOfAnswer(name, value string) bool {
	switch name {
	case "te", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade":
		k.refuse(ReasonConnection)
		return false
	case "content-length":
		return k.hearLength(value)
	case "trailer":
		return k.hearTrailer(value)
	}
	return true
}
