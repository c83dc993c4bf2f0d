package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sync/errgroup"

	"github.com/unilb/unilb/sim/tenant"
	"github.com/unilb/unilb/topology"
)

// registering is how many objects are registered at once.
const registering = 8

// apis returns, for each region that has lbc-api, a client that stands where the
// region's compute platform would.
func (l *Lab) apis() map[string]*tenant.Client {
	key := map[string]string{}
	from := map[string]*Node{}
	replicas := map[string][]netip.AddrPort{}
	for _, n := range l.order {
		for _, p := range n.plan.Processes {
			if p.Name != topology.ProcAPI {
				continue
			}
			r := n.plan.Region
			key[r], from[r] = p.Env["UNILB_API_KEY"], n
			replicas[r] = append(replicas[r], netip.AddrPortFrom(n.plan.Underlay, topology.APIPort))
		}
	}
	out := map[string]*tenant.Client{}
	for r, at := range replicas {
		out[r] = tenant.New(from[r], key[r], at...)
	}
	return out
}

func (l *Lab) hasTenants() bool { return len(l.plan.VPCs) > 0 && len(l.apis()) > 0 }

// registerTenants tells lbc-api the networks and their guests, as a compute
// platform does, and waits until they are in force on every node.
func (l *Lab) registerTenants(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, l.o.ReadyWithin, fmt.Errorf("not within %v", l.o.ReadyWithin))
	defer cancel()
	ports := 0
	for region, api := range l.apis() {
		vpcs, gctx := errgroup.WithContext(ctx)
		for _, v := range l.plan.VPCs {
			vpcs.Go(func() error {
				return register(gctx, api, tenant.VPCPath(v.Name), tenant.VPC{VNI: v.VNI, CIDR: v.CIDR.String()})
			})
		}
		if err := vpcs.Wait(); err != nil {
			return "", errors.Join(err, context.Cause(ctx))
		}
		guests, gctx := errgroup.WithContext(ctx)
		guests.SetLimit(registering)
		for _, n := range l.plan.OfKind(topology.KindGuest) {
			if n.Region != region {
				continue
			}
			ports++
			g := n.Guest
			guests.Go(func() error {
				return register(gctx, api, tenant.PortPath(g.VPC, g.IP.String()),
					tenant.Port{MAC: g.MAC, Host: string(g.Host), VTEP: g.VTEP.String(), IfName: g.HostIf})
			})
		}
		if err := guests.Wait(); err != nil {
			return "", errors.Join(err, context.Cause(ctx))
		}
	}
	return fmt.Sprintf("%d networks, %d ports in force", len(l.plan.VPCs), ports), nil
}

// register writes an object and waits until it is in force everywhere.
func register(ctx context.Context, api *tenant.Client, path string, object any) error {
	op, err := api.Put(ctx, path, object)
	if err == nil {
		_, err = api.Await(ctx, op)
	}
	if err != nil {
		return fmt.Errorf("register %s: %w", path, err)
	}
	return nil
}
