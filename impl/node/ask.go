package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/unilb/unilb/impl/store"
)

const (
	// answerBytes bounds the answer of a status listener.
	answerBytes = 1 << 20
	// headBytes bounds the head of it.
	headBytes = 64 << 10
	// askDial bounds the attempt to connect to one.
	askDial = 2 * time.Second
	// askLife bounds the question whether a node lives.
	askLife = 3 * time.Second
)

// A Client asks the status listeners of nodes. It is safe for concurrent use.
type Client struct{ http http.Client }

// NewClient returns a Client that keeps at most idle connections to each node open
// between questions.
func NewClient(idle int) *Client {
	return &Client{http.Client{Transport: &http.Transport{
		DialContext:            (&net.Dialer{Timeout: askDial}).DialContext,
		MaxIdleConnsPerHost:    idle,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: headBytes,
	}}}
}

// Close closes the connections that are idle.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// InForce is what a node says of itself, all of one moment.
type InForce struct {
	Applied map[string]int64
	Hash    map[string]store.Hash
	// Errors are the objects that it refuses, at most 1024; nil: it does not tell.
	Errors []ObjectError
}

// A Question is what a node may be asked: to wait with its answer until it has Revision in
// force under Prefix, but no longer than Timeout.
type Question struct {
	Prefix   string
	Revision int64
	Timeout  time.Duration
	Key      string // the object whose refusal is of interest; "": of all
}

// Applied asks a node. That it answers does not say that it has the revision: see
// InForce.Applied. Prefixes there do not end in a slash. The error says that it cannot be
// reached, or that another node answers at its address.
func (c *Client) Applied(ctx context.Context, reg Registration, ask Question) (InForce, error) {
	q := url.Values{"prefix": {ask.Prefix}, "revision": {strconv.FormatInt(ask.Revision, 10)}, "timeout": {ask.Timeout.Round(time.Millisecond).String()}}
	if ask.Key != "" {
		q.Set("key", ask.Key)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(reg.Status, "/")+"/status/applied?"+q.Encode(), nil)
	if err != nil {
		return InForce{}, fmt.Errorf("ask %s/%s: %w", reg.Kind, reg.Name, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return InForce{}, fmt.Errorf("ask %s/%s: %w", reg.Kind, reg.Name, reason(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusGatewayTimeout {
		var why struct {
			Text string `json:"error_msg"`
		}
		_ = json.NewDecoder(io.LimitReader(resp.Body, answerBytes)).Decode(&why) // it may say nothing
		return InForce{}, fmt.Errorf("ask %s/%s: status %d %s", reg.Kind, reg.Name, resp.StatusCode, why.Text)
	}
	var body struct {
		Node    string                `json:"node"`
		Applied map[string]int64      `json:"applied"`
		Hash    map[string]store.Hash `json:"hash"`
		Errors  []ObjectError         `json:"errors"`
	}
	whole := io.LimitReader(resp.Body, answerBytes)
	if err := json.NewDecoder(whole).Decode(&body); err != nil {
		return InForce{}, fmt.Errorf("ask %s/%s: %w", reg.Kind, reg.Name, err)
	}
	_, _ = io.Copy(io.Discard, whole) // so that the connection can be used again
	// Addresses are reused: what answers there may be somebody else by now.
	if body.Node != reg.Name {
		return InForce{}, fmt.Errorf("ask %s/%s: %q answers there", reg.Kind, reg.Name, body.Node)
	}
	said := InForce{Applied: make(map[string]int64, len(body.Applied)), Hash: body.Hash, Errors: body.Errors}
	for p, at := range body.Applied {
		said.Applied[clean(p)] = at
	}
	return said, nil
}

// Instance asks a node which process it is: each says another word. The error says that
// the node cannot be reached within three seconds, or that another one answers there.
func (c *Client) Instance(ctx context.Context, reg Registration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askLife)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(reg.Status, "/")+"/status", nil)
	if err != nil {
		return "", fmt.Errorf("ask %s/%s: %w", reg.Kind, reg.Name, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return "", fmt.Errorf("ask %s/%s: %w", reg.Kind, reg.Name, reason(err))
	}
	defer resp.Body.Close()
	var body struct{ Kind, Name, Instance string }
	if err := json.NewDecoder(io.LimitReader(resp.Body, answerBytes)).Decode(&body); err != nil {
		return "", fmt.Errorf("ask %s/%s: %w", reg.Kind, reg.Name, err)
	}
	if body.Name != reg.Name || body.Kind != reg.Kind {
		return "", fmt.Errorf("ask %s/%s: %q answers there", reg.Kind, reg.Name, body.Kind+"/"+body.Name)
	}
	return body.Instance, nil
}

// reason is what went wrong with a question, without the URL that was asked: that is ours,
// and means nothing to who reads the error.
func reason(err error) error {
	var whole *url.Error
	if errors.As(err, &whole) {
		return whole.Err
	}
	return err
}

// Covers reports whether a watched prefix contains a directory or a key.
func Covers(watched, dir string) bool {
	watched = clean(watched)
	return dir == watched || strings.HasPrefix(dir, watched+"/")
}
