package scenario

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/unilb/unilb/sim/act"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// begin starts a load.
func (r *runner) begin(ctx context.Context, l Load) error {
	if r.streams[l.Name] != nil {
		return fmt.Errorf("load %s runs already", l.Name)
	}
	svc := r.services[l.To]
	if svc == nil {
		return fmt.Errorf("service %s is not published", l.To)
	}
	clients, err := r.region.Clients(l.From)
	if err != nil {
		return err
	}
	load := r.s.load(l)
	load.To = svc.To
	s, err := traffic.Start(ctx, clients, r.region.Recorder, load)
	if err != nil {
		return err
	}
	r.streams[l.Name] = s
	return nil
}

// load is the load as package traffic has it, but for the address.
func (s *Scenario) load(l Load) traffic.Load {
	host := ""
	for _, svc := range s.File.Objects.Services {
		if svc.Name == l.To {
			host = svc.Host
		}
	}
	out := traffic.Load{
		Name: l.Name, Rate: l.Rate, Workers: l.Workers, Slow: l.Slow, Timeout: l.Timeout, Seed: s.Seed,
		Conns: traffic.ConnPolicy{Keep: l.Keepalive}, Mix: act.Mix(host),
	}
	if len(l.Mix) > 0 {
		out.Mix = nil
	}
	for _, q := range l.Mix {
		out.Mix = append(out.Mix, traffic.Weighted{Weight: q.Weight, Request: q.request(host)})
	}
	return out
}

func (q Request) request(host string) traffic.Request {
	r := traffic.Request{Host: host, Method: cmp.Or(q.Method, "GET"), Target: cmp.Or(q.Path, "/")}
	if q.Body > 0 {
		r.Body = bytes.Repeat([]byte("0123456789abcdef"), q.Body/16+1)[:q.Body]
	}
	for _, name := range slices.Sorted(maps.Keys(q.Header)) {
		r.Header = append(r.Header, history.Field{Name: name, Value: q.Header[name]})
	}
	if q.Answer > 0 {
		r.Header = append(r.Header, history.Field{Name: echo.HeaderSize, Value: strconv.Itoa(q.Answer)})
	}
	return r
}
