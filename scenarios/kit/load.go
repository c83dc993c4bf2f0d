//go:build scenarios

package kit

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Load begins to send requests for the service from all clients: three reads
// to each order, which must not be carried out twice.
func Load(ctx context.Context, r *Region, s *Service, opts ...traffic.Option) *traffic.Stream {
	GinkgoHelper()
	name := fmt.Sprintf("%s-%d", s.Name, r.Recorder.Now().Milliseconds())
	opts = append([]traffic.Option{traffic.Sending(
		traffic.Weighted{Weight: 3, Request: traffic.Request{Host: s.Host}},
		traffic.Weighted{Weight: 1, Request: traffic.Request{Host: s.Host, Method: "POST", Body: []byte("order=1")}},
	)}, opts...)
	l := traffic.New(name, s.To, opts...)
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
	Eventually(ctx, s.Total).WithTimeout(Bound).WithPolling(20 * time.Millisecond).Should(BeNumerically(">=", requests))
}

// Recovers waits until the load is steady again after a fault, reports how long
// that took, and returns the time in which the fault may have cost requests.
func Recovers(ctx context.Context, s *traffic.Stream, a *fault.Active) history.Window {
	GinkgoHelper()
	wait, cancel := context.WithTimeout(ctx, Bound)
	defer cancel()
	at, err := s.SteadyFrom(wait, a.Window().From, time.Second)
	Expect(err).NotTo(HaveOccurred(), "recover from: %s", a.Fault())
	AddReportEntry("recovered", fmt.Sprintf("%s after: %s (limit %s)", (at-a.Window().From).Round(time.Millisecond), a.Fault(), Bound))
	return history.Window{From: a.Window().From, To: at}
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
	for _, c := range r.clients() {
		session := traffic.NewSession(c, s.To, r.Recorder, traffic.Options{Stream: "serves-" + s.Name, Timeout: 2 * time.Second})
		Eventually(ctx, func(g Gomega) {
			res := session.Do(ctx, traffic.Request{Host: s.Host})
			g.Expect(s.Backends).To(ContainElement(res.Backend()), "%s asks for %s: %s %s", c.Ref, s.Host, res.Op.Class, res.Op.Error)
		}).WithTimeout(Bound).WithPolling(100 * time.Millisecond).Should(Succeed())
		session.Close()
	}
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
// gone through each of the selected gateways: connections that were made while
// a gateway was away stay where they are.
func TakesTraffic(ctx context.Context, r *Region, s *Service, gateways topology.Selector) {
	GinkgoHelper()
	from := r.Recorder.Now()
	missing := map[topology.Ref]bool{}
	for _, n := range r.Lab.Select(gateways) {
		missing[n.Ref()] = true
	}
	Expect(missing).NotTo(BeEmpty())
	var sessions []*traffic.Session
	for _, c := range r.clients() {
		sessions = append(sessions, traffic.NewSession(c, s.To, r.Recorder, traffic.Options{Stream: "takes-" + s.Name, Timeout: time.Second}))
	}
	Eventually(ctx, func(g Gomega) {
		for _, session := range sessions {
			session.Do(ctx, traffic.Request{Host: s.Host})
		}
		for _, ref := range r.seenThrough(from) {
			delete(missing, ref)
		}
		g.Expect(missing).To(BeEmpty(), "gateways without traffic")
	}).WithTimeout(Bound).WithPolling(50 * time.Millisecond).Should(Succeed())
	AddReportEntry("takes traffic", fmt.Sprintf("%s after %s (limit %s)", gateways, (r.Recorder.Now()-from).Round(time.Millisecond), Bound))
}
