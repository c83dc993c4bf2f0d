package lbc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Bounds of requests to the Admin API.
const (
	adminDialTimeout = time.Second
	adminTryTimeout  = 3 * time.Second // one attempt
	adminAttempts    = 8
	adminRetryPause  = 50 * time.Millisecond // doubles with each attempt
	adminRetryMax    = time.Second
	adminAnswerBytes = 4 << 20
)

// An adminClient writes APISIX objects through the Admin API. Each write is
// conditional on the object's modification revision, so it may be repeated
// when its answer was lost: the second one is refused as stale if the first was
// applied. It is safe for concurrent use.
type adminClient struct {
	base string // http://host:port
	key  string
	http *http.Client
}

func newAdminClient(base, key string) *adminClient {
	return &adminClient{
		base: strings.TrimSuffix(base, "/"), key: key,
		http: &http.Client{Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: adminDialTimeout}).DialContext,
			MaxIdleConnsPerHost: 16,
			IdleConnTimeout:     10 * time.Second,
		}},
	}
}

// errStale says that a write built on knowledge that is out of date: nothing
// was written, and the publication has to begin again from what is true now.
var errStale = errors.New("out of date")

// An AdminError is a refusal of the Admin API that a repetition will not change.
type AdminError struct {
	Status  int
	Message string
}

func (e *AdminError) Error() string {
	return fmt.Sprintf("the Admin API answered %d: %s", e.Status, e.Message)
}

// inUse reports whether a deletion was refused because something refers to the
// object.
func (e *AdminError) inUse() bool {
	return e.Status == http.StatusBadRequest && strings.Contains(e.Message, "still using it")
}

// put writes an object on the condition that it is at revision mod (0: does not
// exist), and returns the revision of the write.
func (c *adminClient) put(ctx context.Context, path string, body []byte, mod int64) (int64, error) {
	rev, _, err := c.write(ctx, http.MethodPut, path, body, mod)
	return rev, err
}

// remove deletes an object on the condition that it is at revision mod. found
// is false, without an error, when it was gone already; the revision at which
// it went is then unknown.
func (c *adminClient) remove(ctx context.Context, path string, mod int64) (rev int64, found bool, err error) {
	return c.write(ctx, http.MethodDelete, path, nil, mod)
}

func (c *adminClient) write(ctx context.Context, method, path string, body []byte, mod int64) (int64, bool, error) {
	pause := adminRetryPause
	for attempt := 1; ; attempt++ {
		rev, found, err := c.try(ctx, method, path, body, mod)
		var refusal *AdminError
		if err == nil || errors.Is(err, errStale) || errors.As(err, &refusal) && refusal.Status < 500 {
			return rev, found, err
		}
		if attempt == adminAttempts || ctx.Err() != nil {
			return 0, false, err
		}
		// Connections to a server that died behind its VIP are of no more use.
		c.http.CloseIdleConnections()
		if !sleep(ctx, pause) {
			return 0, false, err
		}
		pause = min(2*pause, adminRetryMax)
	}
}

func (c *adminClient) try(ctx context.Context, method, path string, body []byte, mod int64) (int64, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, adminTryTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.base+"/apisix/admin"+path, bytes.NewReader(body))
	if err != nil {
		return 0, false, fmt.Errorf("%s %s: %w", method, path, err)
	}
	req.Header.Set("X-API-KEY", c.key)
	req.Header.Set("If-Match", strconv.FormatInt(mod, 10))
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, false, fmt.Errorf("ask the Admin API: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, adminAnswerBytes))
	if err != nil {
		return 0, false, fmt.Errorf("ask the Admin API: %s %s: %w", method, path, err)
	}
	switch {
	case resp.StatusCode == http.StatusPreconditionFailed:
		return 0, false, fmt.Errorf("%s %s: %w", method, path, errStale)
	case resp.StatusCode == http.StatusNotFound && method == http.MethodDelete:
		return 0, false, nil
	case resp.StatusCode >= 300:
		return 0, false, &AdminError{Status: resp.StatusCode, Message: adminMessage(answer)}
	}
	rev, err := strconv.ParseInt(resp.Header.Get("X-Unilb-Revision"), 10, 64)
	if err != nil || rev <= 0 {
		return 0, false, &AdminError{Status: resp.StatusCode, Message: "no X-Unilb-Revision in the answer: not an l7admin"}
	}
	return rev, true, nil
}

// adminMessage is what the Admin API says in the body of a refusal.
func adminMessage(body []byte) string {
	var m struct {
		ErrorMsg string `json:"error_msg"`
		Message  string `json:"message"`
	}
	if json.Unmarshal(body, &m) == nil && m.ErrorMsg+m.Message != "" {
		return m.ErrorMsg + m.Message
	}
	const shown = 200 // bytes
	return string(body[:min(len(body), shown)])
}

// sleep waits for d and reports whether ctx still lives.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
