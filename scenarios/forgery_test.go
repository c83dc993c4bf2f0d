//go:build scenarios

package scenarios

import (
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/unilb/unilb/scenarios/kit"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/traffic"
)

var _ = Describe("Forgery", Label("security", "vpc"), func() {
	It("lets no VXLAN packet in that did not come from where it says, from the internet or from a neighbour host", func(ctx SpecContext) {
		r := kit.Up(ctx, "two-az")
		shop := kit.Publish(ctx, r, kit.App{Name: "shop", Host: "shop.example", VIP: "shop-eip", VPC: "shop", Target: "vpc/shop/web-1"})
		games := kit.Publish(ctx, r, kit.App{Name: "games", Host: "games.example", VIP: "games-eip", VPC: "games", Target: "vpc/games/web-1"})
		a := kit.Load(ctx, r, shop, traffic.PerSecond(50), traffic.Keepalive(10))
		b := kit.Load(ctx, r, games, traffic.PerSecond(50), traffic.Keepalive(10))
		kit.Steady(ctx, a, time.Second)
		kit.Steady(ctx, b, time.Second)

		By("the probe itself works: a packet from the guest's own host arrives")
		kit.Forge(ctx, r, kit.Forgery{From: "bj/az1/host-1", To: "bj/az1/l7-1", As: "vpc/shop/web-1"}, kit.Arrives)

		By("an internet client sends the same packet")
		kit.Forge(ctx, r, kit.Forgery{From: "client/inet-1", To: "bj/az1/l7-1", As: "vpc/shop/web-1"}, kit.IsDropped)

		By("an IDC server sends it")
		kit.Forge(ctx, r, kit.Forgery{From: "idc/bj/blue-1", To: "bj/az1/l7-1", As: "vpc/shop/web-1"}, kit.IsDropped)

		By("a host that does not carry the guest sends it")
		kit.Forge(ctx, r, kit.Forgery{From: "bj/az2/host-2", To: "bj/az1/l7-1", As: "vpc/shop/web-1"}, kit.IsDropped)

		By("the tunnel of the L4 cluster takes what an L4 node sends")
		kit.Forge(ctx, r, kit.Forgery{From: "bj/az1/l4-1", To: "bj/az1/l7-1", As: "bj/az1/l4-1"}, kit.Arrives)

		By("an internet client, and then a host, play an L4 node")
		kit.Forge(ctx, r, kit.Forgery{From: "client/inet-1", To: "bj/az1/l7-1", As: "bj/az1/l4-1"}, kit.IsDropped)
		kit.Forge(ctx, r, kit.Forgery{From: "bj/az2/host-2", To: "bj/az1/l7-1", As: "bj/az1/l4-1"}, kit.IsDropped)

		kit.Judge(ctx, r, kit.Stop(ctx, a, b), check.NoRequestLost(), check.TenantIsolation())
	}, SpecTimeout(2*time.Minute))
})
