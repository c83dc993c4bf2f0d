package cases

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/echo"
)

// reference is the simplest gateway that passes the cases, and by its bug one
// that must not. It proves the cases: each has to be green without a bug and red
// with those of the table in proof_test.go.
type reference struct {
	bug         string
	data, admin *httptest.Server

	mu      sync.Mutex
	objects map[string]*stored // "routes/1"
	old     map[string]*stored // before the last write
	rev     int64
	swapped time.Time
	seq     int
	turns   map[string]map[string]int // smooth weighted round robin: upstream, target
	sick    map[string]int            // failed probes in a row; a target with two is out
	pinned  map[string]map[string]*stored
	stop    chan struct{}
	// Backends of cases come and go: connections to them are kept, as a proxy
	// does, but not for long.
	backends *http.Transport
	probers  sync.WaitGroup
}

type stored struct {
	id       string
	value    map[string]any
	create   int64
	modified int64
	order    int
}

const referenceKey = "reference-key"

func newReference(t *testing.T, bug string) *reference {
	g := &reference{
		bug: bug, objects: map[string]*stored{}, rev: 10, turns: map[string]map[string]int{}, sick: map[string]int{},
		pinned: map[string]map[string]*stored{}, stop: make(chan struct{}),
		backends: &http.Transport{DisableCompression: true, IdleConnTimeout: 2 * time.Second},
	}
	g.data = httptest.NewServer(http.HandlerFunc(g.serve))
	g.admin = httptest.NewServer(http.HandlerFunc(g.manage))
	g.probers.Go(g.probeAll)
	t.Cleanup(func() {
		close(g.stop)
		g.probers.Wait()
		g.data.CloseClientConnections()
		g.data.Close()
		g.admin.Close()
		g.backends.CloseIdleConnections()
	})
	return g
}

func (g *reference) is(bug string) bool { return g.bug == bug }

// serve is the data plane.
func (g *reference) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	body = g.spoil(r, body)
	g.mu.Lock()
	view := g.view(r)
	if g.is("closes on edit") && time.Since(g.swapped) < 50*time.Millisecond {
		w.Header().Set("Connection", "close")
	}
	dropping := g.is("drops at a reload") && time.Since(g.swapped) < 20*time.Millisecond
	route := g.match(view, r)
	g.mu.Unlock()
	switch {
	case dropping:
		http.Error(w, "reloading", http.StatusBadGateway)
	case route == nil && g.is("own 404"):
		http.NotFound(w, r)
	case route == nil && g.is("closes in silence"):
		w.Header().Set("Content-Length", "36")
		w.WriteHeader(404)
		_, _ = io.WriteString(w, `{"error_msg":"404 Route Not Found"}`+"\n")
		hang, _, _ := w.(http.Hijacker).Hijack()
		_ = hang.Close()
	case route == nil:
		if !g.is("has another name") {
			w.Header().Set("Server", "APISIX/3.18.0")
		}
		w.WriteHeader(404)
		_, _ = io.WriteString(w, `{"error_msg":"404 Route Not Found"}`+"\n")
	default:
		g.proxy(w, r, view, route, body)
	}
}

// spoil is what a gateway does to a body that does not keep its hands off it.
func (g *reference) spoil(r *http.Request, body []byte) []byte {
	switch {
	case g.is("overwrites bodies"):
		return bytes.Repeat([]byte{'z'}, len(body))
	case g.is("drops chunked bodies") && r.ContentLength < 0:
		return nil
	case g.is("cuts long bodies"):
		return body[:min(len(body), 1<<20)]
	}
	return body
}

// view is the configuration that a request follows.
func (g *reference) view(r *http.Request) map[string]*stored {
	switch {
	case g.is("pins connections"):
		if g.pinned[r.RemoteAddr] == nil {
			g.pinned[r.RemoteAddr] = clone(g.objects)
		}
		return g.pinned[r.RemoteAddr]
	case g.is("applies late") && time.Since(g.swapped) < 30*time.Millisecond && g.old != nil:
		return g.old
	case g.is("goes back now and then") && g.old != nil && time.Since(g.swapped).Milliseconds()%10 == 7:
		return g.old
	}
	return clone(g.objects)
}

func clone(m map[string]*stored) map[string]*stored {
	c := make(map[string]*stored, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}

// entry is one host and one path of a route.
type entry struct {
	route    *stored
	host     int // rank: higher is more specific
	exact    bool
	prefix   int
	priority float64
}

func (g *reference) match(view map[string]*stored, r *http.Request) *stored {
	host := r.Host
	if !g.is("host with port") {
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
	}
	if !g.is("host with case") {
		host = strings.ToLower(host)
	}
	var es []entry
	for key, o := range view {
		if !strings.HasPrefix(key, "routes/") {
			continue
		}
		hosts, uris := texts(o.value, "host", "hosts"), texts(o.value, "uri", "uris")
		if g.is("first host only") {
			hosts = hosts[:min(1, len(hosts))]
		}
		priority, _ := o.value["priority"].(float64)
		for _, u := range uris {
			exact, prefix, ok := g.path(u, r.URL.Path)
			if rank, fits := g.host(hosts, host); ok && fits {
				es = append(es, entry{o, rank, exact, prefix, priority})
			}
		}
	}
	slices.SortFunc(es, func(a, b entry) int {
		first := 0
		if g.is("priority first") {
			first = cmp.Compare(b.priority, a.priority)
		}
		return cmp.Or(first, cmp.Compare(b.host, a.host), cmp.Compare(number(b.exact), number(a.exact)), cmp.Compare(b.prefix, a.prefix),
			cmp.Compare(b.priority, a.priority), cmp.Compare(a.route.order, b.route.order))
	})
	for i, e := range es {
		if g.is("host decides first") && e.host != bestHost(view, host, g) {
			return nil
		}
		if g.method(e.route, r.Method) {
			return e.route
		}
		if g.is("best match or nothing") && i == 0 {
			return nil
		}
	}
	return nil
}

// bestHost is the rank of the most specific host that any route has for it.
func bestHost(view map[string]*stored, host string, g *reference) int {
	best := -1
	for key, o := range view {
		if strings.HasPrefix(key, "routes/") {
			if rank, ok := g.host(texts(o.value, "host", "hosts"), host); ok {
				best = max(best, rank)
			}
		}
	}
	return best
}

func (g *reference) host(hosts []string, host string) (rank int, ok bool) {
	if len(hosts) == 0 || g.is("ignores hosts") {
		return 0, true
	}
	for _, h := range hosts {
		h = strings.ToLower(h)
		suffix, wild := strings.CutPrefix(h, "*")
		switch {
		case !wild && h == host:
			return 10_000, true
		case wild && strings.HasSuffix(host, suffix):
			if g.is("one label") && strings.Contains(strings.TrimSuffix(host, suffix), ".") {
				continue
			}
			return len(suffix), true
		case wild && g.is("wildcard covers the domain") && "."+host == suffix:
			return len(suffix), true
		}
	}
	return 0, false
}

func (g *reference) path(uri, path string) (exact bool, prefix int, ok bool) {
	before, star := strings.CutSuffix(uri, "*")
	switch {
	case !star && g.is("exact is prefix"):
		return true, 0, strings.HasPrefix(path, uri)
	case !star:
		return true, 0, uri == path
	case g.is("prefix by segment"):
		return false, len(before), path == before || strings.HasPrefix(path, strings.TrimSuffix(before, "/")+"/")
	case g.is("prefix without its slash"):
		return false, len(before), strings.HasPrefix(path, strings.TrimSuffix(before, "/"))
	}
	return false, len(before), strings.HasPrefix(path, before)
}

func (g *reference) method(o *stored, method string) bool {
	ms := texts(o.value, "", "methods")
	return len(ms) == 0 || g.is("ignores methods") || slices.Contains(ms, method) || g.is("head is get") && method == "HEAD" && slices.Contains(ms, "GET")
}

func texts(v map[string]any, one, many string) []string {
	var out []string
	if s, ok := v[one].(string); ok {
		out = append(out, s)
	}
	list, _ := v[many].([]any)
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// proxy sends the request to targets until one answers.
func (g *reference) proxy(w http.ResponseWriter, r *http.Request, view map[string]*stored, route *stored, body []byte) {
	name, up := upstream(view, route)
	tried := map[string]bool{}
	for {
		round := name
		if g.is("begins its round with every connection") {
			round += r.RemoteAddr
		}
		target := g.pick(round, up, tried)
		if target == "" {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		tried[target] = true
		resp, err := g.send(r, target, body)
		if err == nil {
			g.copy(w, resp)
			return
		}
		var op *net.OpError
		unsent := errors.As(err, &op) && op.Op == "dial"
		if again := unsent && !g.is("no retry") || !unsent && (g.is("repeats everything") || r.Method == "GET"); !again {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
	}
}

func upstream(view map[string]*stored, route *stored) (string, map[string]any) {
	v := route.value
	if id, ok := v["service_id"].(string); ok && view["services/"+id] != nil {
		v = view["services/"+id].value
	}
	if id, ok := v["upstream_id"].(string); ok && view["upstreams/"+id] != nil {
		return "upstreams/" + id, view["upstreams/"+id].value
	}
	up, _ := v["upstream"].(map[string]any)
	return route.id, up
}

func (g *reference) pick(name string, up map[string]any, tried map[string]bool) string {
	nodes, _ := up["nodes"].(map[string]any)
	g.mu.Lock()
	defer g.mu.Unlock()
	turns := g.turns[name]
	if turns == nil {
		turns = map[string]int{}
		g.turns[name] = turns
	}
	best, total := "", 0
	for n, weight := range nodes {
		f, _ := weight.(float64)
		share := int(f)
		if g.is("ignores weights") || g.is("serves weight 0") && share == 0 {
			share = 1
		}
		if share == 0 || tried[n] || g.sick[n] >= 2 {
			continue
		}
		turns[n] += share
		total += share
		if best == "" || turns[n] > turns[best] {
			best = n
		}
	}
	turns[best] -= total
	return best
}

var hopByHop = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Transfer-Encoding", "Upgrade"}

func strip(h http.Header) {
	for _, v := range h.Values("Connection") {
		for name := range strings.SplitSeq(v, ",") {
			h.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range hopByHop {
		h.Del(name)
	}
}

func (g *reference) send(r *http.Request, target string, body []byte) (*http.Response, error) {
	out := &http.Request{
		Method: r.Method, Host: r.Host, Header: r.Header.Clone(), ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(string(body))),
		URL: &url.URL{Scheme: "http", Host: target, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery},
	}
	if len(body) == 0 {
		out.Body = nil
	}
	upgrade := out.Header.Get("Upgrade")
	if !g.is("copies request headers") {
		strip(out.Header)
	}
	if g.is("passes upgrades") && upgrade != "" {
		out.Header.Set("Upgrade", upgrade)
	}
	client, _, _ := net.SplitHostPort(r.RemoteAddr)
	before := r.Header.Values("X-Forwarded-For")
	switch {
	case g.is("no forwarded-for"):
	case g.is("replaces forwarded-for"):
		out.Header.Set("X-Forwarded-For", client)
	default:
		out.Header.Set("X-Forwarded-For", strings.Join(append(before, client), ", "))
	}
	if !g.is("believes clients") {
		out.Header.Set("X-Forwarded-Proto", "http")
		out.Header.Set("X-Forwarded-Host", r.Host)
		out.Header.Set("X-Real-IP", client)
	}
	out.Header.Set("User-Agent", r.Header.Get("User-Agent"))
	return g.backends.RoundTrip(out.WithContext(r.Context()))
}

func (g *reference) copy(w http.ResponseWriter, resp *http.Response) {
	defer resp.Body.Close()
	if g.is("copies response headers") {
		resp.Header.Del("Connection")
	} else {
		strip(resp.Header)
	}
	for name, vs := range resp.Header {
		w.Header()[name] = vs
	}
	if g.is("mixes answers") {
		w.Header().Set(echo.HeaderOp, "another")
	}
	body := io.Reader(resp.Body)
	switch long := w.Header().Get("Content-Length"); {
	case g.is("overwrites answers"):
		b, _ := io.ReadAll(body)
		body = bytes.NewReader(bytes.Repeat([]byte{'z'}, len(b)))
	case g.is("cuts long answers") && long == "": // one that is not announced can be cut unseen
		body = io.LimitReader(body, 1<<20)
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, body)
}

// probeAll runs the health checks of all upstreams, with time passing ten times
// as fast as the objects say.
func (g *reference) probeAll() {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	client := &http.Client{Timeout: 100 * time.Millisecond, Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		select {
		case <-g.stop:
			return
		case <-tick.C:
		}
		for _, n := range g.checked() {
			resp, err := client.Get("http://" + n + "/health")
			ok := err == nil && resp.StatusCode == 200
			if err == nil {
				_ = resp.Body.Close()
				ok = ok || g.is("ignores the status of probes")
			} else if g.is("ignores silence") {
				ok = true
			}
			g.mu.Lock()
			switch {
			case !ok:
				g.sick[n]++
			case !g.is("never takes back") || g.sick[n] < 2:
				g.sick[n] = 0
			}
			g.mu.Unlock()
		}
	}
}

func (g *reference) checked() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []string
	for key, o := range g.objects {
		if strings.HasPrefix(key, "upstreams/") && o.value["checks"] != nil {
			nodes, _ := o.value["nodes"].(map[string]any)
			for n := range nodes {
				out = append(out, n)
			}
		}
	}
	return out
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
