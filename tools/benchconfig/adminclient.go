package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
)

// callers is how many write at once.
const callers = 64

// adminClient asks the Admin API on connections that stay. Safe for concurrent use.
type adminClient struct {
	http    *http.Client
	at, key string
}

// keptAlive is a client with room for the connections of all callers; dial nil: the
// usual one.
func keptAlive(dial func(ctx context.Context, network, at string) (net.Conn, error)) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: dial, MaxIdleConns: 2 * callers, MaxIdleConnsPerHost: 2 * callers, DisableCompression: true}}
}

// put writes one object and returns the revision of the write.
func (c *adminClient) put(ctx context.Context, path string, object map[string]any) (int64, error) {
	body, err := json.Marshal(object)
	if err != nil {
		return 0, err
	}
	return c.putBytes(ctx, path, body)
}

func (c *adminClient) putBytes(ctx context.Context, path string, body []byte) (int64, error) {
	resp, err := c.ask(ctx, http.MethodPut, path, body)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return 0, fmt.Errorf("put %s: %w", path, err)
	}
	if resp.StatusCode/100 != 2 {
		return 0, fmt.Errorf("put %s: %s: %.300s", path, resp.Status, said)
	}
	return strconv.ParseInt(resp.Header.Get("X-Unilb-Revision"), 10, 64)
}

func (c *adminClient) ask(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+c.at+"/apisix/admin/"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-API-KEY", c.key)
	return c.http.Do(req)
}
