package admin

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"
	"unicode"

	"github.com/unilb/unilb/impl/history"
)

// maxRequestID is how much of a client's name for its request is kept, in bytes.
const maxRequestID = 64

// recorded is the request with who makes it, for the history of what it changes.
func recorded(r *http.Request, author string) *http.Request {
	if r.Method == http.MethodGet {
		return r
	}
	return r.WithContext(history.By(r.Context(), history.Who{Author: author, Request: requestID(r), What: r.Method + " " + r.URL.Path}))
}

// requestID is the one of the header X-Request-Id, or one that is made up.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if id != "" && len(id) <= maxRequestID && !strings.ContainsFunc(id, func(c rune) bool { return !unicode.IsPrint(c) }) {
		return id
	}
	return randomID()
}

func randomID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // documented to never fail
	return hex.EncodeToString(b[:])
}
