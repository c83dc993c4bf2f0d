package cases

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"
)

// probed is what is known of a target. A limit of 0 is none.
type probed struct {
	out               bool
	well, bad, silent int // in a row
	next              time.Time
	asked             bool // a probe is under way
}

// refused is the status of a target to which there was no connection.
const refused = -1

func (g *reference) healthKey(upstream, target string) string {
	if g.is("has one health for all upstreams") {
		return target
	}
	return upstream + " " + target
}

func (g *reference) out(upstream, target string) bool {
	p := g.health[g.healthKey(upstream, target)]
	return p != nil && p.out
}

// known is what there is to know of a target; g.mu is held.
func (g *reference) known(id string) *probed {
	p := g.health[id]
	if p == nil {
		p = &probed{}
		g.health[id] = p
	}
	return p
}

// An examination is what an upstream wants to know of a target.
type examination struct {
	upstream, target string
	check            object
}

// probeAll runs the health checks of all upstreams, ten times as often as the
// objects say.
func (g *reference) probeAll() {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-g.stop:
			return
		case <-tick.C:
		}
		for _, e := range g.due() {
			g.probers.Go(func() {
				status := g.probe(e)
				g.mu.Lock()
				if p := g.health[g.healthKey(e.upstream, e.target)]; p != nil {
					p.asked = false
				}
				g.mu.Unlock()
				healthy, unhealthy := thresholds(e.check)
				g.report(e.upstream, e.target, status == http.StatusOK, status, healthy, unhealthy)
			})
		}
	}
}

// due are the examinations whose time has come.
func (g *reference) due() []examination {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []examination
	for key, o := range g.objects {
		checks, _ := o.value["checks"].(object)
		active, ok := checks["active"].(object)
		if !ok || !strings.HasPrefix(key, "upstreams/") {
			continue
		}
		nodes, _ := o.value["nodes"].(object)
		for target := range nodes {
			p := g.known(g.healthKey(key, target))
			if p.asked || time.Now().Before(p.next) {
				continue
			}
			interval := 1.0
			state, _ := active["healthy"].(object)
			if p.out {
				state, _ = active["unhealthy"].(object)
			}
			if f, ok := state["interval"].(float64); ok {
				interval = f
			}
			p.next = time.Now().Add(time.Duration(interval * float64(100*time.Millisecond)))
			p.asked = true
			out = append(out, examination{key, target, active})
		}
	}
	return out
}

// probe is the status of one probe; refused or 504 when there was none.
func (g *reference) probe(e examination) int {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // what is slow is not sick
	defer cancel()
	path, _ := e.check["http_path"].(string)
	if g.is("probes without the query") {
		path, _, _ = strings.Cut(path, "?")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+e.target+path, nil)
	if err != nil {
		return refused
	}
	if host, ok := e.check["host"].(string); ok && !g.is("probes without the host") {
		req.Host = host
	}
	lines, _ := e.check["req_headers"].([]any)
	for _, l := range lines {
		name, value, _ := strings.Cut(l.(string), ": ")
		req.Header.Set(name, value)
	}
	req.Close = true
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	switch {
	case err != nil && ctx.Err() != nil && g.is("ignores silence"):
		return http.StatusOK
	case err != nil && ctx.Err() != nil:
		return http.StatusGatewayTimeout
	case err != nil:
		return refused
	}
	_ = resp.Body.Close()
	if g.is("ignores the status of probes") {
		return http.StatusOK
	}
	return resp.StatusCode
}

// thresholds are after how many events in a row a target changes sides.
func thresholds(check object) (healthy, unhealthy object) {
	healthy, _ = check["healthy"].(object)
	unhealthy, _ = check["unhealthy"].(object)
	return healthy, unhealthy
}

// report counts what was learnt of a target.
func (g *reference) report(upstream, target string, ok bool, status int, healthy, unhealthy object) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.health[g.healthKey(upstream, target)]
	if p == nil {
		return
	}
	reached := func(n int, limits object, name string) bool {
		limit, set := limits[name].(float64)
		if !set {
			limit = 2
		}
		if g.is("takes out at the first failure") {
			limit = 1
		}
		return limit > 0 && n >= int(limit)
	}
	switch {
	case ok:
		p.well, p.bad, p.silent = p.well+1, 0, 0
		if reached(p.well, healthy, "successes") && !g.is("never takes back") {
			p.out = false
		}
	case status == http.StatusGatewayTimeout:
		p.well, p.silent = 0, p.silent+1
		p.out = p.out || reached(p.silent, unhealthy, "timeouts")
	default:
		name := "http_failures"
		if status == refused {
			name = "tcp_failures"
		}
		p.well, p.bad = 0, p.bad+1
		p.out = p.out || reached(p.bad, unhealthy, name)
	}
}

// passive learns from a request that a target got.
func (g *reference) passive(upstream string, up object, target string, status int) {
	checks, _ := up["checks"].(object)
	check, ok := checks["passive"].(object)
	if !ok || g.is("learns nothing from requests") {
		return
	}
	g.mu.Lock()
	g.known(g.healthKey(upstream, target)) // requests may come before the first probe
	g.mu.Unlock()
	healthy, unhealthy := thresholds(check)
	bad, _ := unhealthy["http_statuses"].([]any)
	listed := slices.ContainsFunc(bad, func(v any) bool { return v == float64(status) })
	if g.is("learns from statuses only") && !listed {
		return
	}
	if listed || status == refused || status == http.StatusGatewayTimeout {
		g.report(upstream, target, false, status, healthy, unhealthy)
	} else if status < 400 {
		g.report(upstream, target, true, status, healthy, unhealthy)
	}
}
