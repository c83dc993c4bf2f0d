package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/unilb/unilb/sim/admin"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

const (
	benchHost   = "bench.example"
	inForceIn   = 15 * time.Second
	retryEvery  = 50 * time.Millisecond
	gatewayPart = 0.4 // of the rate: client, gateway and backend share the machine here
)

// measureClientsThroughGateway is the same load through l7gw in the smallest lab.
// The CPU time is the lab process's own, without the gateway's.
func measureClientsThroughGateway(ctx context.Context, s Settings) (_ []Sample, err error) {
	spec, err := topology.LoadLibrary("hello")
	if err != nil {
		return nil, err
	}
	plan, err := spec.Plan()
	if err != nil {
		return nil, err
	}
	bin, err := filepath.Abs(s.Bin)
	if err != nil {
		return nil, err
	}
	rec := history.NewRecorder(history.NewClock())
	l, err := lab.Up(ctx, plan, lab.Options{BinDir: bin, Recorder: rec})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Down(context.WithoutCancel(ctx))) }()
	client, err := l.Node(plan.OfKind(topology.KindClient)[0].Ref)
	if err != nil {
		return nil, err
	}
	c := traffic.Client{Ref: client.Ref(), Dialer: client}
	to := netip.AddrPortFrom(plan.OfKind(topology.KindL7)[0].Underlay, lab.HTTPPort)
	if err := publish(ctx, l, c, to); err != nil {
		return nil, err
	}
	s.Rate *= gatewayPart
	return underLoad(ctx, s, rec, c, to, benchHost)
}

// publish makes a route to the backend and waits until the gateway has it.
func publish(ctx context.Context, l *lab.Lab, c traffic.Client, to netip.AddrPort) error {
	plan, rec := l.Plan(), l.Recorder()
	gateway, err := l.Node(plan.OfKind(topology.KindL7)[0].Ref)
	if err != nil {
		return err
	}
	api := netip.AddrPortFrom(plan.OfKind(topology.KindAdmin)[0].Underlay, topology.AdminPort)
	caller, err := admin.New(admin.Options{
		Ref: gateway.Ref(), Dialer: gateway, URLs: []string{"http://" + api.String() + "/apisix/admin"}, Key: topology.AdminKey, Recorder: rec,
	})
	if err != nil {
		return err
	}
	backend := netip.AddrPortFrom(plan.OfKind(topology.KindIDC)[0].Underlay, topology.EchoPort)
	route := fmt.Appendf(nil, `{"host":%q,"uri":"/*","upstream":{"type":"roundrobin","nodes":{%q:1}}}`, benchHost, backend)
	if err := caller.Put(ctx, "/routes/bench", route).Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, inForceIn)
	defer cancel()
	session := traffic.NewSession(c, to, rec, traffic.Options{Stream: "in-force"})
	for {
		r := session.Do(ctx, traffic.Request{Host: benchHost})
		if r.Op.Outcome == history.OK {
			return nil
		}
		if err := sleep(ctx, retryEvery); err != nil {
			return fmt.Errorf("the route is not in force after %s: %s %s", inForceIn, r.Op.Class, r.Op.Error)
		}
	}
}
