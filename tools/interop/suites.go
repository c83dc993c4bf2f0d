package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
)

// A suite is run with one engine. It may have more results than one.
type suite struct {
	name, engine string
	judge        func(context.Context, plan, string) ([]Result, error)
}

func (s suite) run(ctx context.Context, p plan) ([]Result, error) { return s.judge(ctx, p, s.engine) }

// suites are those of the engines that are to be run.
func (p plan) suites() []suite {
	var list []suite
	add := func(name, engine string, judge func(context.Context, plan, string) ([]Result, error)) {
		if p.only == "" || p.only == name {
			list = append(list, suite{name, engine, judge})
		}
	}
	for engine := range strings.SplitSeq(p.engines, ",") {
		if engine != engineLoop { // it does not speak HTTP/2 to clients
			add(connect1.name, engine, connect1.run)
			add(connect1to.name, engine, connect1to.run)
			continue
		}
		add("h2spec", engine, runH2spec)
		add(connectAll.name, engine, connectAll.run)
		add(connect1to.name, engine, connect1to.run)
		add("grpc-go", engine, runGRPC)
	}
	return list
}

func runH2spec(ctx context.Context, p plan, engine string) ([]Result, error) {
	spec, err := installH2spec(ctx, p.out)
	if err != nil {
		return nil, err
	}
	gw, err := startGateway(ctx, options{bin: p.bin, log: filepath.Join(p.out, "l7gw.log"), engine: engine}, target{})
	if err != nil {
		return nil, err
	}
	var results []Result
	for _, secure := range []bool{true, false} {
		r, err := spec.judge(ctx, gw, secure)
		if err != nil {
			return nil, errors.Join(err, gw.stop())
		}
		results = append(results, r)
	}
	return results, gw.stop()
}

func (s connectSuite) run(ctx context.Context, p plan, engine string) ([]Result, error) {
	c, err := installConnect(ctx, p.bin, p.out, engine)
	if err != nil {
		return nil, err
	}
	var results []Result
	for range p.repeat {
		r, err := c.judge(ctx, s)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}

func runGRPC(ctx context.Context, p plan, engine string) ([]Result, error) {
	g, err := installGRPC(ctx, p.bin, p.out, engine)
	if err != nil {
		return nil, err
	}
	var results []Result
	for _, secure := range []bool{false, true} {
		some, err := g.judge(ctx, secure)
		if err != nil {
			return nil, err
		}
		results = append(results, some...)
	}
	return results, nil
}
