//go:build scenarios

package scenarios

import (
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/unilb/unilb/scenarios/incidents"
	"github.com/unilb/unilb/scenarios/kit"
)

// Every incident that comes with the testbed is one spec: what "lbsim run" does.
var _ = Describe("Incidents", Label("incidents"), func() {
	for _, name := range incidents.Names() {
		It(name+": "+kit.About(name), Label(name), func(ctx SpecContext) {
			kit.Run(ctx, name)
		}, SpecTimeout(5*time.Minute))
	}
})
