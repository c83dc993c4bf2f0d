//go:build scenarios

package scenarios

import (
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/unilb/unilb/scenarios/kit"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/traffic"
)

var _ = Describe("Hot configuration", Label("reload"), func() {
	It("applies 50 edits under load and loses or misroutes nothing", func(ctx SpecContext) {
		r := kit.Up(ctx, "two-az")
		blog := kit.Publish(ctx, r, kit.App{Name: "blog", Host: "blog.example", VIP: "idc-eip", Target: "idc/bj/blue-*"})
		fast := kit.Load(ctx, r, blog, traffic.PerSecond(300), traffic.Keepalive(30))
		slow := kit.Load(ctx, r, blog, traffic.PerSecond(5), traffic.TakingAbout(2*time.Second))
		kit.Steady(ctx, fast, 2*time.Second)

		By("50 edits go round three sets of servers, each when the one before is in force")
		kit.Edit(ctx, r, blog, 50, "idc/bj/green-*", "idc/bj/blue-1", "idc/bj/blue-2")
		kit.Steady(ctx, fast, time.Second)

		kit.Judge(ctx, r, kit.Stop(ctx, fast, slow),
			check.NoRequestLost(), check.AtMostOnce(), check.ConfigConverges(kit.Bound))
	}, SpecTimeout(3*time.Minute))

	It("says by name which gateway does not have a change yet", Label("operations"), func(ctx SpecContext) {
		r := kit.Up(ctx, "two-az")
		blog := kit.Publish(ctx, r, kit.App{Name: "blog", Host: "blog.example", VIP: "idc-eip", Target: "idc/bj/blue-*"})

		By("one gateway freezes")
		frozen := kit.Inject(ctx, r, fault.Freeze{On: "bj/az1/l7-1", Process: "gateway"})
		op := kit.Retarget(ctx, r, blog, "idc/bj/green-*")
		kit.InForceOnAllBut(ctx, r, op, "bj/az1/l7-1")

		By("it goes on")
		kit.Heal(ctx, frozen)
		kit.Applied(ctx, r, op)
	}, SpecTimeout(2*time.Minute))

	It("goes on taking edits while etcd loses its leader", Label("etcd"), func(ctx SpecContext) {
		r := kit.Up(ctx, "two-az")
		blog := kit.Publish(ctx, r, kit.App{Name: "blog", Host: "blog.example", VIP: "idc-eip", Target: "idc/bj/blue-*"})
		load := kit.Load(ctx, r, blog, traffic.PerSecond(200), traffic.Keepalive(20))
		kit.Steady(ctx, load, 2*time.Second)

		By("edits go on")
		edits := kit.EditInBackground(ctx, r, blog, "idc/bj/green-*", "idc/bj/blue-*")
		kit.Edits(ctx, edits, 5)

		By("the leader is killed")
		lost := kit.Inject(ctx, r, fault.Kill{On: kit.EtcdLeader(ctx, r), Process: "unilb-etcd"})
		kit.Edits(ctx, edits, 5)

		By("it comes back")
		kit.Heal(ctx, lost)
		kit.Edits(ctx, edits, 5)
		kit.Applied(ctx, r, kit.StopEdits(ctx, edits))
		kit.Steady(ctx, load, time.Second)

		kit.Judge(ctx, r, kit.Stop(ctx, load), check.NoRequestLost(), check.ConfigConverges(kit.Bound))
	}, SpecTimeout(3*time.Minute))
})
