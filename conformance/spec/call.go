package spec

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/unilb/unilb/sim/traffic"
)

// Limits of one call of a management API.
const (
	callTimeout   = 90 * time.Second // lbc-api lets a client wait for an operation for up to a minute
	maxAnswerSize = 16 << 20
)

// RevisionHeader carries the etcd revision of a write, where the Admin API
// says it.
const RevisionHeader = "X-Unilb-Revision"

// NoWordHeader says what an object holds that the dialect of the driver cannot
// express. Only conformance/static writes it, with 501, where it stands for the Admin
// API of a gateway that has none: the answer is the testbed's then and says nothing
// of the gateway. A gateway that wrote it would leave itself undecided.
const NoWordHeader = "X-Unilb-No-Word"

// A Call is one request to a management API.
type Call struct {
	Method string
	Path   string // below the endpoint's URL, with a leading slash
	Body   string // as it is sent; may be anything, also not JSON
	Header map[string]string
	NoKey  bool // leave out the API key
}

// A Reply is the answer to a Call.
type Reply struct {
	Status   int
	Header   http.Header
	Body     []byte
	Revision int64 // 0: not said
}

// JSON is the body as a JSON object; nil when it is something else.
func (r Reply) JSON() map[string]any {
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(r.Body))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		return nil
	}
	return m
}

// String is status and body in one line, for messages.
func (r Reply) String() string {
	return fmt.Sprintf("%d %s", r.Status, bytes.TrimSpace(r.Body[:min(len(r.Body), 500)]))
}

// Do makes the call. An error means that there was no complete answer.
func (e Endpoint) Do(ctx context.Context, c Call) (Reply, error) {
	var body io.Reader
	if c.Body != "" {
		body = bytes.NewReader([]byte(c.Body))
	}
	req, err := http.NewRequestWithContext(ctx, c.Method, e.URL+c.Path, body)
	if err != nil {
		return Reply{}, fmt.Errorf("call %s %s: %w", c.Method, c.Path, err)
	}
	if !c.NoKey {
		req.Header.Set("X-API-KEY", e.Key)
	}
	for name, value := range c.Header {
		req.Header.Set(name, value)
	}
	client := traffic.HTTP(e.From.Dialer, callTimeout)
	client.Transport.(*http.Transport).TLSClientConfig = e.TLS
	resp, err := client.Do(req)
	if err != nil {
		return Reply{}, fmt.Errorf("call %s %s from %s: %w", c.Method, c.Path, e.From.Ref, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerSize))
	if err != nil {
		return Reply{}, fmt.Errorf("read answer to %s %s: %w", c.Method, c.Path, err)
	}
	r := Reply{Status: resp.StatusCode, Header: resp.Header, Body: b}
	if v := resp.Header.Get(RevisionHeader); v != "" {
		if r.Revision, err = strconv.ParseInt(v, 10, 64); err != nil {
			return Reply{}, fmt.Errorf("answer to %s %s: %s is %q", c.Method, c.Path, RevisionHeader, v)
		}
	}
	return r, nil
}
