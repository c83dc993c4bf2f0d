//go:build scenarios

package kit

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/unilb/unilb/sim/act"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Load begins to send requests for the service from all clients: three reads
// to each order, which must not be carried out twice.
func Load(ctx context.Context, r *Region, s *Service, opts ...traffic.Option) *traffic.Stream {
	GinkgoHelper()
	opts = append([]traffic.Option{traffic.Sending(act.Mix(s.Host)...)}, opts...)
	l := traffic.New(s.Name, s.To, opts...)
	l.Seed = r.Plan.Seed
	stream, err := traffic.Start(ctx, r.clients(), r.Recorder, l)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func(ctx SpecContext) { _, _ = stream.Stop(ctx) }, NodeTimeout(Bound))
	return stream
}

// Steady waits until nothing has failed for that long.
func Steady(ctx context.Context, s *traffic.Stream, lasting time.Duration) {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(ctx, Bound+lasting)
	defer cancel()
	Expect(s.Steady(ctx, lasting)).To(Succeed())
}

// Carries waits until that many requests of the load have ended, well or not.
func Carries(ctx context.Context, s *traffic.Stream, requests int) {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(ctx, Bound)
	defer cancel()
	Expect(act.Carried(ctx, s, requests)).To(Succeed())
}

// Recovers waits until the load is steady again after a fault, reports how long
// that took, and returns the time in which the fault may have cost requests.
func Recovers(ctx context.Context, r *Region, s *traffic.Stream, a *fault.Active) history.Window {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(ctx, Bound)
	defer cancel()
	w, err := r.Recovery(ctx, s, a, "")
	Expect(err).NotTo(HaveOccurred())
	AddReportEntry("recovered", fmt.Sprintf("%s after: %s (limit %s)", (w.To-w.From).Round(time.Millisecond), a.Fault(), Bound))
	return w
}

// Stop ends the loads and returns what they and the backends saw.
func Stop(ctx context.Context, streams ...*traffic.Stream) *history.History {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(ctx, Bound)
	defer cancel()
	var all []*history.History
	for _, s := range streams {
		h, err := s.Stop(ctx)
		Expect(err).NotTo(HaveOccurred())
		all = append(all, h)
	}
	return history.Merge(all...)
}

// Serves waits until every client gets an answer of one of the service's
// backends.
func Serves(ctx context.Context, r *Region, s *Service) {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(ctx, Bound)
	defer cancel()
	Expect(r.Region.Serves(ctx, s)).To(Succeed())
}

// NotFound asks a VIP for a host name that is not published there.
func NotFound(ctx context.Context, r *Region, s *Service, host string) {
	GinkgoHelper()
	for _, c := range r.clients() {
		session := traffic.NewSession(c, s.To, r.Recorder, traffic.Options{Stream: "foreign-host", Timeout: Bound})
		res := session.Do(ctx, traffic.Request{Host: host})
		Expect(res.Op.Response).NotTo(BeNil(), "%s asks for %s: %s", c.Ref, host, res.Op.Error)
		Expect(res.Op.Response.Status).To(Equal(404), "%s asks for %s", c.Ref, host)
		session.Close()
	}
}

// TakesTraffic asks for the service on fresh connections until a request has
// gone through each of the selected gateways.
func TakesTraffic(ctx context.Context, r *Region, s *Service, gateways topology.Selector) {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(ctx, Bound)
	defer cancel()
	took, err := r.TakesTraffic(ctx, s, gateways)
	Expect(err).NotTo(HaveOccurred())
	AddReportEntry("takes traffic", fmt.Sprintf("%s after %s (limit %s)", gateways, took.Round(time.Millisecond), Bound))
}
