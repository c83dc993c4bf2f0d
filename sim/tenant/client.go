package tenant

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/unilb/unilb/sim/traffic"
)

const (
	callTimeout = 30 * time.Second // of one call to one replica, waiting included
	maxAnswer   = 8 << 20          // bytes of one answer that are read
)

// A Client calls lbc-api.
type Client struct {
	replicas []netip.AddrPort
	first    atomic.Int32 // index of the replica that answered last
	key      string
	http     *http.Client
}

// New returns a client that dials from the given place. Replicas are tried in
// the order given, from the one on that answered last: one that is gone delays one
// call, not all.
func New(d traffic.Dialer, key string, replicas ...netip.AddrPort) *Client {
	return &Client{replicas: replicas, key: key, http: traffic.HTTP(d, callTimeout)}
}

// An Error is an answer that is not a success.
type Error struct {
	Method, Path string
	Status       int
	Message      string // error_msg of the answer
	Field        string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s %s: %d: %s", e.Method, e.Path, e.Status, e.Message)
}

// Put creates or replaces an object.
func (c *Client) Put(ctx context.Context, path string, object any) (Operation, error) {
	var op Operation
	return op, c.call(ctx, http.MethodPut, path, object, &op)
}

// Delete removes an object.
func (c *Client) Delete(ctx context.Context, path string) (Operation, error) {
	var op Operation
	return op, c.call(ctx, http.MethodDelete, path, nil, &op)
}

// Get reads an object into the value that into points to.
func (c *Client) Get(ctx context.Context, path string, into any) error {
	return c.call(ctx, http.MethodGet, path, nil, into)
}

func (c *Client) call(ctx context.Context, method, path string, body, into any) error {
	var payload []byte
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		payload = b
	}
	err := fmt.Errorf("%s %s: the client knows no replica of lbc-api", method, path)
	first := int(c.first.Load())
	for i := range c.replicas {
		n := (first + i) % len(c.replicas)
		var answered bool
		if answered, err = c.once(ctx, c.replicas[n], method, path, payload, into); answered {
			c.first.Store(int32(n))
		}
		if answered || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// once asks one replica; answered tells whether it gave an answer, good or bad.
func (c *Client) once(ctx context.Context, at netip.AddrPort, method, path string, payload []byte, into any) (answered bool, err error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+at.String()+path, bytes.NewReader(payload))
	if err != nil {
		return true, fmt.Errorf("%s %s: %w", method, path, err)
	}
	req.Header.Set("X-API-KEY", c.key)
	if payload != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return false, fmt.Errorf("ask lbc-api: %w", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return false, fmt.Errorf("read the answer to %s %s: %w", method, path, err)
	}
	if resp.StatusCode >= 300 {
		var said struct {
			Message string `json:"error_msg"`
			Field   string `json:"field"`
		}
		if json.Unmarshal(b, &said) != nil || said.Message == "" {
			said.Message = string(b)
		}
		return true, &Error{method, path, resp.StatusCode, said.Message, said.Field}
	}
	if into == nil {
		return true, nil
	}
	if err := json.Unmarshal(b, into); err != nil {
		return true, fmt.Errorf("%s %s: the answer is no JSON as expected: %w", method, path, err)
	}
	return true, nil
}
