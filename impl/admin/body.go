package admin

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/unilb/unilb/impl/apisix"
)

// maxDrained bounds how much of a body that is too large is read, in bytes: to
// say how large it is, and because a connection that is closed with unread bytes
// is reset, which may take the answer away from the client.
const maxDrained = 16 << 20

// readBody returns the body, which is nil when there is none. APISIX looks at it
// whatever the method.
func readBody(w http.ResponseWriter, r *http.Request) (*apisix.Document, *failure) {
	body, f := readRaw(w, r, maxBody)
	if f != nil || len(body) == 0 {
		return nil, f
	}
	sent, err := apisix.ReadSent(body)
	if err != nil {
		return nil, notRead(err, body)
	}
	return sent, nil
}

// readNothing looks at what no handler uses, as APISIX does whatever the method: a body
// must be JSON and a ttl a number.
func readNothing(w http.ResponseWriter, r *http.Request) *failure {
	if _, f := readBody(w, r); f != nil {
		return f
	}
	_, f := ttl(r)
	return f
}

func notRead(err error, body []byte) *failure {
	return &failure{code: http.StatusBadRequest, body: map[string]string{
		"error_msg": "invalid request body: " + err.Error(), "req_body": string(body),
	}}
}

// hasCome ends the server's limit, which is for the time that a request takes to come: what
// it does then may take longer, and the server would take its client for gone.
func hasCome(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // who has none has no limit
}

// readRaw returns the body as it was sent, if it has no more than limit bytes.
func readRaw(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, *failure) {
	size := r.ContentLength
	var body []byte
	if size <= limit {
		var err error
		body, err = io.ReadAll(io.LimitReader(r.Body, limit+1))
		if err != nil {
			return nil, bad("invalid request body: " + err.Error())
		}
		size = int64(len(body))
	}
	if size > limit {
		// Past its limit MaxBytesReader has the server close the connection with care.
		more, _ := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxDrained)) // as far as it comes
		if r.ContentLength < 0 {
			size += more
		}
		return nil, bad(fmt.Sprintf("invalid request body: request size %d is greater than the maximum size %d allowed", size, limit))
	}
	hasCome(w)
	return body, nil
}

// ttl is the time after which a written object vanishes; 0: never.
func ttl(r *http.Request) (time.Duration, *failure) {
	q := arguments(r)
	if !q.Has("ttl") {
		return 0, nil
	}
	const longest = 1e9 // seconds; etcd's own limit is about nine
	f, ok := number(q.Get("ttl"))
	if !ok {
		return 0, bad("invalid argument ttl: should be a number")
	}
	switch {
	case f < 1:
		return 0, bad("invalid argument ttl: should be at least 1")
	case f > longest:
		return 0, bad(fmt.Sprintf("invalid argument ttl: should be at most %d", int(longest)))
	}
	return time.Duration(f) * time.Second, nil
}

// ifMatch is the revision that a write insists on.
func ifMatch(r *http.Request) (rev int64, given bool, err *failure) {
	text := strings.Trim(strings.TrimSpace(r.Header.Get("If-Match")), `"`)
	if text == "" {
		return 0, false, nil
	}
	rev, perr := strconv.ParseInt(text, 10, 64)
	if perr != nil || rev < 0 {
		return 0, false, bad("invalid header If-Match: should be a modifiedIndex, or 0 for an object that must not exist")
	}
	return rev, true, nil
}

func mismatch(key string, want, got int64) *failure {
	if got == 0 {
		return fail(http.StatusPreconditionFailed, fmt.Sprintf("%s does not exist, If-Match is %d", key, want))
	}
	return fail(http.StatusPreconditionFailed, fmt.Sprintf("%s is at revision %d, If-Match is %d", key, got, want))
}
