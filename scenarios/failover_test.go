//go:build scenarios

package scenarios

import (
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/unilb/unilb/scenarios/kit"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/tenant"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

var _ = Describe("Failover", Label("failover"), func() {
	It("loses only what a gateway had in hand, or was sent before it was found dead, when it is killed", func(ctx SpecContext) {
		r := kit.Up(ctx, "two-az")
		blog := kit.Publish(ctx, r, kit.App{Name: "blog", Host: "blog.example", VIP: "idc-eip", Target: "idc/bj/*"})
		kept := kit.Load(ctx, r, blog, traffic.PerSecond(200), traffic.Keepalive(40))
		fresh := kit.Load(ctx, r, blog, traffic.PerSecond(100), traffic.FreshConnections())
		kit.Steady(ctx, kept, 2*time.Second)

		By("one of four gateways is killed")
		killed := kit.Inject(ctx, r, fault.Kill{On: "bj/az1/l7-1", Process: "gateway"})
		cost := kit.Recovers(ctx, r, fresh, killed)

		By("it starts again")
		kit.Heal(ctx, killed)
		kit.TakesTraffic(ctx, r, blog, "bj/az1/l7-1")

		kit.Judge(ctx, r, kit.Stop(ctx, kept, fresh),
			check.NoRequestLost(check.InFlight("bj/az1/l7-1", cost).Only(history.ClassRefused, history.ClassReset, history.ClassEOF)),
			check.BlastRadius("bj/az1/l7-1", cost),
			check.Recovers(kit.Bound), check.AtMostOnce())
	}, SpecTimeout(2*time.Minute))

	It("takes edits through its VIP while one l7admin is dead", Label("control"), func(ctx SpecContext) {
		r := kit.Up(ctx, "two-az")
		blog := kit.Publish(ctx, r, kit.App{Name: "blog", Host: "blog.example", VIP: "idc-eip", Target: "idc/bj/blue-*"})
		load := kit.Load(ctx, r, blog, traffic.PerSecond(100), traffic.Keepalive(10))
		kit.Steady(ctx, load, 2*time.Second)

		for _, admin := range []topology.Selector{"bj/az1/admin-1", "bj/az2/admin-1"} {
			By(string(admin) + " is killed: the other one has to take the edits")
			killed := kit.Inject(ctx, r, fault.Kill{On: admin, Process: "l7admin"})
			kit.Edit(ctx, r, blog, 10, "idc/bj/green-*", "idc/bj/blue-1", "idc/bj/blue-2")
			kit.Heal(ctx, killed)
			kit.Edit(ctx, r, blog, 3, "idc/bj/green-*", "idc/bj/blue-1", "idc/bj/blue-2")
		}
		kit.Steady(ctx, load, time.Second) // every gateway is asked once more after the last edit

		kit.Judge(ctx, r, kit.Stop(ctx, load), check.NoRequestLost(), check.ConfigConverges(kit.Bound))
	}, SpecTimeout(2*time.Minute))

	It("serves from the other AZ when one loses power, and takes it back when it returns", Label("azoutage"), func(ctx SpecContext) {
		r := kit.Up(ctx, "two-az")
		probe := &tenant.HealthCheck{Type: "http", Path: "/health", Interval: 1, Timeout: 1, Rise: 2, Fall: 2}
		shop := kit.Publish(ctx, r, kit.App{Name: "shop", Host: "shop.example", VIP: "shop-eip", VPC: "shop", Target: "vpc/shop/web-*", Check: probe})
		load := kit.Load(ctx, r, shop, traffic.PerSecond(200), traffic.Keepalive(40))
		kit.Steady(ctx, load, 3*time.Second)

		By("az1 loses power")
		outage := kit.Inject(ctx, r, fault.PowerOff{On: "bj/az1/**"})
		cost := kit.Recovers(ctx, r, load, outage)

		By("an operator publishes while az1 is gone")
		blog := kit.PublishWithin(ctx, r, kit.App{Name: "blog", Host: "blog.example", VIP: "idc-eip", Target: "idc/bj/green-*"})
		kit.Serves(ctx, r, blog)

		By("az1 comes back and learns what it missed")
		kit.Heal(ctx, outage)
		kit.TakesTraffic(ctx, r, shop, "bj/az1/l7-*")
		kit.Serves(ctx, r, blog)
		kit.Steady(ctx, load, time.Second)

		kit.Judge(ctx, r, kit.Stop(ctx, load),
			check.NoRequestLost(check.InFlight("bj/az1/**", cost)),
			check.BlastRadius("bj/az1/**", cost),
			check.Recovers(kit.Bound))
	}, SpecTimeout(3*time.Minute))

	It("forgets the mappings that were deleted while its agent was dead, and no others", Label("agent", "vpc"), func(ctx SpecContext) {
		r := kit.Up(ctx, "two-az")
		shop := kit.Publish(ctx, r, kit.App{Name: "shop", Host: "shop.example", VIP: "shop-eip", VPC: "shop", Target: "vpc/shop/web-*"})
		gone, stays := kit.UniqueIP(ctx, r, "vpc/shop/web-1"), kit.UniqueIP(ctx, r, "vpc/shop/web-2")
		load := kit.Load(ctx, r, shop, traffic.PerSecond(100), traffic.Keepalive(20))
		kit.Steady(ctx, load, time.Second)

		By("the agent of one gateway is dead while a target is withdrawn")
		killed := kit.Inject(ctx, r, fault.Kill{On: "bj/az1/l7-1", Process: "lbc-agent"})
		kit.Retarget(ctx, r, shop, "vpc/shop/web-2", "vpc/shop/web-3")
		kit.Unmapped(ctx, r, gone)
		kit.ReachesNot(ctx, r, "bj/az1/l7-2", gone)
		kit.Reaches(ctx, r, "bj/az1/l7-1", gone) // its forwarding plane outlives the agent

		By("it starts again")
		kit.Heal(ctx, killed)
		kit.ReachesNot(ctx, r, "bj/az1/l7-1", gone)
		kit.Reaches(ctx, r, "bj/az1/l7-1", stays)
		kit.Steady(ctx, load, time.Second)

		kit.Judge(ctx, r, kit.Stop(ctx, load), check.NoRequestLost(), check.AtMostOnce())
	}, SpecTimeout(2*time.Minute))
})
