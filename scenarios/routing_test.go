//go:build scenarios

package scenarios

import (
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/unilb/unilb/scenarios/kit"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

var _ = Describe("Routing", Label("routing"), func() {
	It("spreads a classic site over the servers of the data centre, by weight, losing nothing", func(ctx SpecContext) {
		r := kit.Up(ctx, "two-az")
		blog := kit.Publish(ctx, r, kit.App{Name: "blog", Host: "blog.example", VIP: "idc-eip", Target: "idc/bj/*"})

		By("clients on the internet read it")
		load := kit.Load(ctx, r, blog, traffic.PerSecond(300), traffic.Keepalive(20))
		kit.Steady(ctx, load, 3*time.Second)

		kit.Judge(ctx, r, kit.Stop(ctx, load),
			check.NoRequestLost(), check.AtMostOnce(), check.ConfigConverges(kit.Bound),
			check.Weighted(0.001, map[topology.Ref]int{
				"idc/bj/blue-1": 1, "idc/bj/blue-2": 1, "idc/bj/green-1": 1, "idc/bj/green-2": 1,
			}))
	}, SpecTimeout(2*time.Minute))

	It("keeps two tenants with the same addresses apart over 1000 requests", Label("vpc"), func(ctx SpecContext) {
		r := kit.Up(ctx, "two-az")
		shop := kit.Publish(ctx, r, kit.App{Name: "shop", Host: "shop.example", VIP: "shop-eip", VPC: "shop", Target: "vpc/shop/web-*"})
		games := kit.Publish(ctx, r, kit.App{Name: "games", Host: "games.example", VIP: "games-eip", VPC: "games", Target: "vpc/games/web-*"})

		By("both are read at once")
		a := kit.Load(ctx, r, shop, traffic.PerSecond(200), traffic.Keepalive(20))
		b := kit.Load(ctx, r, games, traffic.PerSecond(200), traffic.FreshConnections())
		kit.Steady(ctx, a, 2*time.Second)
		kit.Steady(ctx, b, 2*time.Second)
		kit.Carries(ctx, a, 500)
		kit.Carries(ctx, b, 500)

		By("somebody asks for the other tenant's name")
		kit.NotFound(ctx, r, shop, games.Host)

		kit.Judge(ctx, r, kit.Stop(ctx, a, b),
			check.NoRequestLost(), check.TenantIsolation(), check.AtMostOnce(), check.ConfigConverges(kit.Bound))
	}, SpecTimeout(2*time.Minute))

	It("gives a withdrawn target's unique IP to another tenant only when nobody uses it any more", Label("vpc"), func(ctx SpecContext) {
		r := kit.Up(ctx, "two-az")
		shop := kit.Publish(ctx, r, kit.App{Name: "shop", Host: "shop.example", VIP: "shop-eip", VPC: "shop", Target: "vpc/shop/web-*"})
		load := kit.Load(ctx, r, shop, traffic.PerSecond(200), traffic.Keepalive(20))
		slow := kit.Load(ctx, r, shop, traffic.PerSecond(20), traffic.TakingAbout(time.Second))
		kit.Steady(ctx, load, 2*time.Second)

		By("the shop gives up one guest, which still has slow requests in hand")
		freed := kit.UniqueIP(ctx, r, "vpc/shop/web-1")
		kit.Change(ctx, r, shop, "vpc/shop/web-2", "vpc/shop/web-3")

		By("the games tenant takes as many addresses as it can, until it holds the freed one")
		games := kit.Publish(ctx, r, kit.App{Name: "games", Host: "games.example", VIP: "games-eip", VPC: "games", Target: "vpc/games/web-1"})
		other := kit.Load(ctx, r, games, traffic.PerSecond(200), traffic.Keepalive(20))
		kit.Reassigned(ctx, r, games, freed)
		kit.Steady(ctx, load, 2*time.Second)
		kit.Steady(ctx, other, 2*time.Second)

		kit.Judge(ctx, r, kit.Stop(ctx, load, slow, other),
			check.NoRequestLost(), check.TenantIsolation(), check.ConfigConverges(kit.Bound))
	}, SpecTimeout(3*time.Minute))
})
