package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/unilb/unilb/sim/history"
	simlab "github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/topology"
)

// measureTwoAZ brings up a region of two zones in a lab and writes from the node of its
// first Admin API.
func measureTwoAZ(ctx context.Context, b *bench, got *result) (err error) {
	if b.lab != nil { // two labs at a time would measure each other
		err := b.lab.close()
		b.lab = nil
		if err != nil {
			return err
		}
	}
	spec, err := topology.LoadLibrary("two-az")
	if err != nil {
		return err
	}
	plan, err := spec.Plan()
	if err != nil {
		return err
	}
	bin, err := filepath.Abs(b.bin)
	if err != nil {
		return err
	}
	l, err := simlab.Up(ctx, plan, simlab.Options{BinDir: bin, Recorder: history.NewRecorder(history.NewClock())})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Down(context.WithoutCancel(ctx))) }()
	admin := plan.OfKind(topology.KindAdmin)[0]
	from, err := l.Node(admin.Ref)
	if err != nil {
		return err
	}
	revision, err := fillLab(ctx, from, plan, b.routes)
	if err != nil {
		return err
	}
	client := keptAlive(func(ctx context.Context, _, at string) (net.Conn, error) { return dialFrom(ctx, from, at) })
	defer client.CloseIdleConnections()
	w := writeAndWatch{
		admin:  &adminClient{client, netip.AddrPortFrom(admin.Underlay, topology.AdminPort).String(), topology.AdminKey},
		http:   client,
		routes: b.routes,
	}
	for _, n := range plan.OfKind(topology.KindL7) {
		w.statuses = append(w.statuses, netip.AddrPortFrom(n.Underlay, topology.L7StatusPort).String())
	}
	for begun := time.Now(); ; { // a question ends after 20 s
		err := w.served(ctx, revision)
		if err == nil {
			break
		}
		const within = 4 * time.Minute
		if time.Since(begun) > within || ctx.Err() != nil {
			return fmt.Errorf("the gateways do not serve all routes: %w", errors.Join(err, context.Cause(ctx)))
		}
	}
	return w.measure(ctx, b, got, "two-az")
}

// fillLab writes all objects by the members of a lab's etcd.
func fillLab(ctx context.Context, from *simlab.Node, plan *topology.Plan, routes int) (int64, error) {
	var members []string
	for _, n := range plan.OfKind(topology.KindEtcd) {
		members = append(members, "http://"+netip.AddrPortFrom(n.Underlay, topology.EtcdClientPort).String())
	}
	etcd, err := clientv3.New(clientv3.Config{
		Endpoints: members, Logger: zap.NewNop(),
		DialOptions: []grpc.DialOption{grpc.WithContextDialer(func(ctx context.Context, at string) (net.Conn, error) { return dialFrom(ctx, from, at) })},
	})
	if err != nil {
		return 0, err
	}
	revision, _, err := fill(ctx, etcd, routes)
	return revision, errors.Join(err, etcd.Close())
}

func dialFrom(ctx context.Context, from *simlab.Node, at string) (net.Conn, error) {
	to, err := netip.ParseAddrPort(at)
	if err != nil {
		return nil, err
	}
	return from.Dial(ctx, "tcp4", to)
}
