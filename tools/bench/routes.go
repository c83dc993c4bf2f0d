package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"

	"github.com/unilb/unilb/tools/bench/stage"
)

// A routeSet is a number of routes below a prefix of their own.
type routeSet struct {
	n        int
	prefix   string
	url      string // of the Admin API
	admin    *stage.Process
	revision int64 // of the last write
	changes  atomic.Int64
}

// Each host has ten routes; the load that goes to one route goes to that in the
// middle.
const routesOfHost = 10

func hostOf(route int) string { return fmt.Sprintf("h%d.example", route/routesOfHost) }
func pathOf(route int) string { return fmt.Sprintf("/r%d/", route) }

// fill puts the upstream, with an active health check, and the routes. The first
// route goes by the Admin API; the others are written to etcd beside it, in the form
// that the Admin API gave to the first: ten thousand at a time take a second so.
func (c *control) fill(ctx context.Context, s *routeSet) error {
	upstream := map[string]any{
		"type": "roundrobin", "nodes": map[string]int{responderAt: 1},
		"keepalive_pool": map[string]any{"size": 1024, "idle_timeout": 600, "requests": 1_000_000_000},
		"checks": map[string]any{"active": map[string]any{
			"type": "http", "http_path": "/health",
			"healthy": map[string]int{"interval": 1, "successes": 1}, "unhealthy": map[string]int{"interval": 1, "http_failures": 3},
		}},
	}
	if err := s.put(ctx, "upstreams/responder", upstream); err != nil {
		return err
	}
	if err := s.put(ctx, "routes/r0", s.route(0, "")); err != nil {
		return err
	}
	form, err := c.key(ctx, s.prefix+"/routes/r0")
	if err != nil {
		return err
	}
	const atATime = 500 // of the 1024 that our etcd allows
	for from := 1; from < s.n; from += atATime {
		puts := map[string][]byte{}
		for i := from; i < min(from+atATime, s.n); i++ {
			value, err := routeAs(form, i)
			if err != nil {
				return err
			}
			puts[fmt.Sprintf("%s/routes/r%d", s.prefix, i)] = value
		}
		if s.revision, err = c.putKeys(ctx, puts); err != nil {
			return err
		}
	}
	return nil
}

// routeAs is route i in the form in which the Admin API keeps route 0.
func routeAs(form []byte, i int) ([]byte, error) {
	var r map[string]json.RawMessage
	if err := json.Unmarshal(form, &r); err != nil {
		return nil, fmt.Errorf("read route 0: %w", err)
	}
	for name, is := range map[string][2]string{"id": {"r0", fmt.Sprintf("r%d", i)}, "host": {hostOf(0), hostOf(i)}, "uri": {pathOf(0) + "*", pathOf(i) + "*"}} {
		if want := strconv.Quote(is[0]); string(r[name]) != want {
			return nil, fmt.Errorf("route 0 has the %s %s, want %s", name, r[name], want)
		}
		r[name] = json.RawMessage(strconv.Quote(is[1]))
	}
	return json.Marshal(r)
}

func (s *routeSet) route(i int, about string) any {
	r := map[string]any{"host": hostOf(i), "uri": pathOf(i) + "*", "upstream_id": "responder"}
	if about != "" {
		r["desc"] = about
	}
	return r
}

// change puts another form of a route that no load goes to.
func (c *control) change(ctx context.Context, s *routeSet) error {
	return s.put(ctx, "routes/r1", s.route(1, fmt.Sprintf("change %d", s.changes.Add(1))))
}

func (s *routeSet) put(ctx context.Context, path string, object any) error {
	rev, err := s.send(ctx, path, object)
	s.revision = max(s.revision, rev)
	return err
}

// send writes one object by the Admin API and returns the revision of the write.
func (s *routeSet) send(ctx context.Context, path string, object any) (int64, error) {
	body, err := json.Marshal(object)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, s.url+"/apisix/admin/"+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("X-API-KEY", adminKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, fmt.Errorf("put %s: %w", path, err)
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return 0, fmt.Errorf("put %s: %w", path, err)
	}
	if resp.StatusCode/100 != 2 {
		return 0, &refused{path: path, status: resp.StatusCode, said: string(bytes.TrimSpace(said))}
	}
	return strconv.ParseInt(resp.Header.Get("X-Unilb-Revision"), 10, 64)
}

// refused says that the Admin API did not take an object.
type refused struct {
	path   string
	status int
	said   string
}

func (r *refused) Error() string {
	return fmt.Sprintf("the Admin API answers %d to PUT %s: %s", r.status, r.path, r.said)
}
