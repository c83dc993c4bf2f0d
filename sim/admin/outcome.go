package admin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/unilb/unilb/sim/history"
)

// An answer is what came of a call at one place.
type answer struct {
	sent     bool // a connection was made, so the call may have been made
	status   int  // 0: no answer
	revision string
	body     []byte
	err      error // no answer, or not all of it
}

// envelope is what the Admin API answers to a Get.
type envelope struct {
	Value    json.RawMessage `json:"value"`
	Modified int64           `json:"modifiedIndex"`
}

// refusal is what the Admin API says when it does not do what it was asked.
type refusal struct {
	Error   string `json:"error_msg"`
	Message string `json:"message"`
}

// notFound is the message of a 404 for a key that is not there.
const notFound = "Key not found"

// judge writes into the record what the answer proves. Without a connection
// nothing happened, and a 4xx says that nothing did. A 2xx says that it happened,
// and so does the 404 to a Get of a key that is not there. Of everything else (no answer in time, a reset, half an answer, a 5xx,
// after which the store may have the write) nobody knows.
func (a answer) judge(r *Result) {
	r.Body, r.Status, r.Error, r.Outcome = a.body, a.status, "", history.Info
	switch {
	case !a.sent:
		r.Outcome, r.Error = history.Fail, a.text()
	case a.status == http.StatusNotFound && a.said().Message != notFound:
		r.Error = a.text() // of somebody who knows no such path: it says nothing of the key
	case a.status == http.StatusNotFound && r.Verb == Get:
		r.Outcome = history.OK
	case a.status >= 400 && a.status < 500:
		r.Outcome, r.Error = history.Fail, a.text()
	case a.status >= 200 && a.status < 300 && (a.err == nil || r.Verb != Get):
		a.read(r) // that the rest of an answer to a write is missing changes nothing
	default:
		r.Error = a.text()
	}
}

// read takes what a success says.
func (a answer) read(r *Result) {
	r.Outcome = history.OK
	if r.Verb != Get {
		r.Rev, _ = strconv.ParseInt(a.revision, 10, 64) // 0: it was not said
		return
	}
	var e envelope
	if err := json.Unmarshal(a.body, &e); err != nil || len(e.Value) == 0 {
		r.Outcome, r.Error = history.Info, fmt.Sprintf("an answer without a value: %.200q", a.body)
		return
	}
	r.Got, r.Rev = e.Value, e.Modified
}

func (a answer) said() (r refusal) {
	_ = json.Unmarshal(a.body, &r) // something else says nothing
	return r
}

// text is an answer that is no success in a few words.
func (a answer) text() string {
	said := a.said()
	switch {
	case a.err != nil && a.status != 0:
		return fmt.Sprintf("%d, and then: %v", a.status, a.err)
	case a.err != nil:
		return a.err.Error()
	case said.Error != "":
		return fmt.Sprintf("%d: %s", a.status, said.Error)
	case said.Message != "":
		return fmt.Sprintf("%d: %s", a.status, said.Message)
	}
	return fmt.Sprintf("%d: %.200s", a.status, bytes.TrimSpace(a.body))
}
