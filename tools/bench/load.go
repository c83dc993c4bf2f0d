package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/tools/bench/load"
	"github.com/unilb/unilb/tools/bench/stage"
)

func init() {
	sandbox.RegisterPart(load.ResponderPart, load.PlayResponder)
	sandbox.RegisterPart(load.OpenPart, load.PlayOpen)
	sandbox.RegisterPart(handshakePart, playHandshakes)
	sandbox.RegisterPart(idlePart, playIdle)
}

func part(name string, args ...string) *exec.Cmd { return sandbox.Part(name, args...) }

// browserHead is what a browser adds to a request, as names and values in turn.
var browserHead = []string{
	"User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36",
	"Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
	"Accept-Language", "en-GB,en;q=0.9,de;q=0.8",
	"Accept-Encoding", "gzip, deflate, br, zstd",
	"Referer", "https://www.example.org/catalogue/shoes?page=3&sort=price",
	"Cookie", "session=5f2b7c1e9a4d4f0c8e3b6a7d1c2e3f40; theme=dark; consent=1; _ga=GA1.2.1234567890.1700000000",
	"Cache-Control", "max-age=0",
	"Upgrade-Insecure-Requests", "1",
}

// target is the path of the one route that plain loads go to, and its host.
func (r Row) target(body string) (path, host string) {
	i := r.Routes / 2
	return pathOf(i) + body, hostOf(i)
}

// request is the row's request as bytes.
func (r Row) request(body string) string {
	path, host := r.target(body)
	var b strings.Builder
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\n", path, host)
	for _, f := range r.fields() {
		b.WriteString(f + "\r\n")
	}
	return b.String() + "\r\n"
}

// fields are what the row's requests have beside Host.
func (r Row) fields() (out []string) {
	if r.Head {
		for i := 0; i < len(browserHead); i += 2 {
			out = append(out, browserHead[i]+": "+browserHead[i+1])
		}
	}
	return out
}

// door is where the row's load enters a proxy.
func (s *site) door(p *proxy) string {
	if s.row.TLS {
		return p.tls
	}
	return p.at
}

func (s *site) clientOrder(p *proxy) clientOrder {
	return clientOrder{At: s.door(p), TLS: s.row.TLS, Request: s.row.request(s.row.Body), Want: load.Bodies[s.row.Body], Conns: s.row.Conns, For: s.row.Slice}
}

// load makes one slice of load on a proxy.
func (s *site) load(ctx context.Context, p *proxy) (load.Outcome, error) {
	cmd, read, err := s.command(p)
	if err != nil {
		return load.Outcome{}, err
	}
	cpus := []int{s.loadCPU}
	if s.row.Workers > 1 {
		cpus = []int{s.proxyCPU, s.loadCPU}
	}
	// What hangs is ended: a slice is over when its load is.
	ctx, cancel := context.WithTimeoutCause(ctx, s.row.Slice+30*time.Second, errors.New("the load does not end"))
	defer cancel()
	text, err := s.spawn.Run(ctx, cmd, stage.Place{Group: "load", CPUs: cpus})
	if err != nil {
		return load.Outcome{}, fmt.Errorf("load on %s: %w", p.name, err)
	}
	return read(text)
}

func (s *site) command(p *proxy) (*exec.Cmd, func(string) (load.Outcome, error), error) {
	r := s.row
	path, host := r.target(r.Body)
	url := "http://" + p.at + path
	if r.TLS {
		_, port, err := splitPort(p.tls)
		if err != nil {
			return nil, nil, err
		}
		url = fmt.Sprintf("https://%s:%d%s", serverName, port, path)
	}
	seconds := strconv.Itoa(int(r.Slice.Seconds()))
	switch r.By {
	case byWrk:
		args := []string{"-t1", "-c" + strconv.Itoa(r.Conns), "-d" + seconds + "s", "--latency", "--timeout", "5s", "-H", "Host: " + host}
		for _, f := range r.fields() {
			args = append(args, "-H", f)
		}
		if !r.Spread {
			return exec.Command("wrk", append(args, url)...), parseWrk, nil
		}
		script := filepath.Join(s.dir, "routes.lua")
		text, err := templates.ReadFile("templates/routes.lua")
		if err == nil {
			err = os.WriteFile(script, text, 0o644)
		}
		args = append(args, "-s", script, url, "--", strconv.Itoa(r.Routes), strconv.Itoa(routesOfHost), r.Body)
		return exec.Command("wrk", args...), parseWrk, err
	case byH2load:
		return exec.Command("h2load", "-t1", "-c"+strconv.Itoa(r.Conns), "-m"+strconv.Itoa(r.Streams), "-D"+seconds, "-H", ":authority: "+host, url), parseH2load, nil
	case byClock:
		at, err := netip.ParseAddrPort(p.at)
		if err != nil {
			return nil, nil, err
		}
		arg, err := json.Marshal(load.OpenOrder{At: at, Requests: []string{r.request(r.Body)}, Conns: r.Conns, Rate: r.Rate, For: r.Slice, Patience: time.Second})
		return part(load.OpenPart, string(arg)), lastOutcome, err
	case byHandshake:
		arg, err := json.Marshal(s.clientOrder(p))
		return part(handshakePart, string(arg)), lastOutcome, err
	}
	return nil, nil, fmt.Errorf("row %s: no load %q", r.Load, r.By)
}
