package l4

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// maxProbeBytes bounds how much of an answer to a probe is read.
const maxProbeBytes = 4 << 10

// Dial opens a connection for a probe.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// HTTPProbe returns a ProbeFunc that asks over HTTP, each time on a new
// connection: a member that cannot accept any more must not look well because
// of an old one. A nil dial is the net package's.
func HTTPProbe(dial Dial) ProbeFunc {
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	return func(ctx context.Context, url string) (Outcome, string) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return Missed, err.Error()
		}
		resp, err := clientFor(ctx, dial).Do(req)
		if err != nil {
			return Missed, strings.TrimPrefix(err.Error(), `Get "`+url+`": `)
		}
		defer resp.Body.Close()
		return outcomeOf(resp.StatusCode, io.LimitReader(resp.Body, maxProbeBytes))
	}
}

// clientFor returns a client for one request. The transport detaches a dial from
// its request, so that another one may use the connection; a dial to a dead
// member would then last for two minutes, and one more begins with every probe.
// Therefore the dial is bound to the probe's own context.
func clientFor(ctx context.Context, dial Dial) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext: func(_ context.Context, network, address string) (net.Conn, error) {
				return dial(ctx, network, address)
			},
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxProbeBytes,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func outcomeOf(code int, body io.Reader) (Outcome, string) {
	if code == http.StatusOK {
		return IsReady, ""
	}
	var answer struct {
		State string `json:"state"`
	}
	// An unreadable body is a miss like any other answer that is not 200.
	_ = json.NewDecoder(body).Decode(&answer)
	if code == http.StatusServiceUnavailable && answer.State == "draining" {
		return IsDraining, ""
	}
	return Missed, fmt.Sprintf("answer %d %s", code, answer.State)
}
