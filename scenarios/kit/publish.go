//go:build scenarios

package kit

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/unilb/unilb/sim/act"
	"github.com/unilb/unilb/sim/tenant"
	"github.com/unilb/unilb/topology"
)

// An App is a tenant's site; see act.App.
type App = act.App

// A Service is a published App.
type Service = act.Service

// Publish creates the load balancer and all that belongs to it, and returns
// when it is in force on every registered node.
func Publish(ctx context.Context, r *Region, a App) *Service {
	GinkgoHelper()
	By("publish " + a.Name)
	s, op, err := r.Publish(ctx, a)
	Expect(err).NotTo(HaveOccurred())
	_, err = r.AwaitInForce(ctx, s, op)
	Expect(err).NotTo(HaveOccurred(), "publish %s", a.Name)
	return s
}

// PublishWithin creates the load balancer and returns when the API has accepted
// it, in force or not.
func PublishWithin(ctx context.Context, r *Region, a App) *Service {
	GinkgoHelper()
	By("publish " + a.Name)
	s, _, err := r.Publish(ctx, a)
	Expect(err).NotTo(HaveOccurred())
	return s
}

// Retarget gives a service other targets and returns when the API has accepted
// that.
func Retarget(ctx context.Context, r *Region, s *Service, to ...topology.Selector) tenant.Operation {
	GinkgoHelper()
	op, err := r.Retarget(ctx, s, false, to...)
	Expect(err).NotTo(HaveOccurred(), "give %s the targets %s", s.Name, to)
	return op
}

// Change gives a service other targets and returns when the system says that
// this is in force everywhere. What it says is part of the history, and judged.
func Change(ctx context.Context, r *Region, s *Service, to ...topology.Selector) tenant.Operation {
	GinkgoHelper()
	wait, cancel := context.WithTimeout(ctx, Bound)
	defer cancel()
	op, err := r.Retarget(wait, s, true, to...)
	Expect(err).NotTo(HaveOccurred(), "give %s the targets %s", s.Name, to)
	return op
}
