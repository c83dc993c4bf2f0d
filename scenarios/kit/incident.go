//go:build scenarios

package kit

import (
	"context"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/history"
)

// Inject breaks something. Whatever is still broken at the end of the spec is
// mended before the lab goes down.
func Inject(ctx context.Context, r *Region, f fault.Fault) *fault.Active {
	GinkgoHelper()
	GinkgoWriter.Printf("  +%s %s\n", r.Recorder.Now().Round(time.Millisecond), f)
	a, err := r.Lab.Inject(ctx, f)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func(ctx SpecContext) error { return a.Heal(ctx) }, NodeTimeout(time.Minute))
	return a
}

// Heal mends it.
func Heal(ctx context.Context, a *fault.Active) {
	GinkgoHelper()
	Expect(a.Heal(ctx)).To(Succeed())
}

// Judge lets the checks judge the history. Unknown is not a pass.
func Judge(_ context.Context, r *Region, h *history.History, checks ...check.Checker) {
	GinkgoHelper()
	By("judge")
	verdicts := check.Judge(h, r.Facts(), checks...)
	for _, v := range verdicts {
		GinkgoWriter.Printf("  %s\n", v)
		AddReportEntry("verdict", v.String())
		if len(v.Excused) > 0 {
			var list strings.Builder
			for _, e := range v.Excused {
				fmt.Fprintf(&list, "op %s at +%s: %s\n", e.Op, e.At.Round(time.Millisecond), e.Text)
			}
			AddReportEntry("excused by "+v.Check, list.String())
		}
	}
	for _, v := range verdicts {
		Expect(v.State).To(Equal(check.Valid), "%s", v)
	}
}
