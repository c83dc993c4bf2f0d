package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/unilb/unilb/tools/bench/stage"
)

// A proxy is one that runs, in a group of its own.
type proxy struct {
	name    string
	group   string
	at, tls string // where it listens; tls: "" when it does not
	running *stage.Process
	change  func(context.Context) error // brings a change of its configuration into force
	lacks   string                      // why it cannot do what the row needs; "": it can
	wrong   string                      // how its answer differed; "": it did not
}

// A site is everything that a row needs: the proxies, started for it alone.
type site struct {
	*bench
	row     Row
	dir     string
	proxies []*proxy
}

// newSite starts the proxies of a row.
func (b *bench) newSite(ctx context.Context, r Row) (_ *site, err error) {
	dir, err := os.MkdirTemp(b.dir, r.Load+"-")
	if err != nil {
		return nil, err
	}
	s := &site{bench: b, row: r, dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if err := b.pair.write(dir); err != nil {
		return nil, err
	}
	starts := []func(context.Context, *proxy) error{s.startNginx, s.startHAProxy, s.startNginx}
	for i, name := range []string{nginxName, haproxyName, controlName} {
		if err := s.add(ctx, name, starts[i]); err != nil {
			return nil, err
		}
	}
	for _, g := range b.gateways {
		if err := s.add(ctx, g.Name, func(ctx context.Context, p *proxy) error { return s.startGateway(ctx, p, g) }); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// add starts a proxy.
func (s *site) add(ctx context.Context, name string, start func(context.Context, *proxy) error) error {
	port := firstPort + 10*len(s.proxies)
	p := &proxy{name: name, group: "proxy-" + name, at: fmt.Sprintf("127.0.0.1:%d", port)}
	if s.row.TLS {
		p.tls = fmt.Sprintf("127.0.0.1:%d", port+1)
	}
	s.proxies = append(s.proxies, p)
	if err := s.groups.Make(p.group); err != nil {
		return err
	}
	if err := start(ctx, p); err != nil {
		return err
	}
	if err := p.running.Await(ctx, 20*time.Second, func(ctx context.Context) error { return stage.Listens(ctx, p.at) }); err != nil {
		return err
	}
	if s.row.Quota > 0 {
		return s.groups.Limit(p.group, s.row.Quota)
	}
	return nil
}

// place of the proxies: the proxies' core, or every core when there are two workers.
func (s *site) place(p *proxy) stage.Place {
	if s.row.Workers > 1 {
		return stage.Place{Group: p.group, CPUs: []int{s.proxyCPU, s.loadCPU}}
	}
	return stage.Place{Group: p.group, CPUs: []int{s.proxyCPU}}
}

// Close ends the proxies and removes what they had.
func (s *site) Close() error {
	var errs []error
	for _, p := range s.proxies {
		if p.running != nil {
			p.running.Stop()
		}
		errs = append(errs, s.groups.End(p.group))
	}
	errs = append(errs, os.RemoveAll(s.dir))
	return errors.Join(errs...)
}
