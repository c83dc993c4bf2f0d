//go:build scenarios

package kit

import (
	"context"
	"encoding/json"
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/unilb/unilb/topology"
)

// mapping is what /unilb/vpc/mappings says of a unique IP.
type mapping struct {
	UniqueIP   netip.Addr `json:"unique_ip"`
	VNI        uint32     `json:"vni"`
	VPCIP      netip.Addr `json:"vpc_ip"`
	Generation int64      `json:"generation"`
}

func (r *Region) mappings(ctx context.Context) ([]mapping, error) {
	values, err := r.values(ctx, "/unilb/vpc/mappings/")
	if err != nil {
		return nil, err
	}
	out := make([]mapping, len(values))
	for i, v := range values {
		if err := json.Unmarshal(v, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// UniqueIP is the address that stands for a guest.
func UniqueIP(ctx context.Context, r *Region, guest topology.Ref) netip.Addr {
	GinkgoHelper()
	g := r.planned(guest).Guest
	all, err := r.mappings(ctx)
	Expect(err).NotTo(HaveOccurred())
	for _, m := range all {
		if m.VNI == g.VNI && m.VPCIP == g.IP {
			return m.UniqueIP
		}
	}
	Fail("no unique IP stands for " + string(guest))
	return netip.Addr{}
}

// Unmapped waits until nothing is mapped to a unique IP any more.
func Unmapped(ctx context.Context, r *Region, ip netip.Addr) {
	GinkgoHelper()
	Eventually(ctx, func(g Gomega) {
		all, err := r.mappings(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		for _, m := range all {
			g.Expect(m.UniqueIP).NotTo(Equal(ip), "still mapped: %+v", m)
		}
	}).WithTimeout(2 * Bound).WithPolling(100 * time.Millisecond).Should(Succeed())
}

// Reassigned lets the service give up its targets and take them again until the
// unique IP, which was just withdrawn, stands for one of its backends. It may
// only after the drain time and the quarantine, which a lab keeps short.
func Reassigned(ctx context.Context, r *Region, s *Service, ip netip.Addr) {
	GinkgoHelper()
	const quarantine = 5 * time.Second // of the lab; counted from the end of the mapping
	Unmapped(ctx, r, ip)
	begin := time.Now()
	vni, keep := r.planned(s.Backends()[0]).Guest.VNI, topology.Selector(s.Backends()[0])
	all := topology.Selector("vpc/" + s.VPC + "/web-*")
	Eventually(ctx, func(g Gomega) {
		Change(ctx, r, s, all)
		owner, _ := r.owner(ctx, g, ip)
		if owner != vni {
			Change(ctx, r, s, keep)
			Eventually(ctx, func(g Gomega) {
				_, mapped := r.owner(ctx, g, ip)
				g.Expect(mapped[vni]).To(Equal(1), "mappings of VNI %d", vni)
			}).WithTimeout(Bound).WithPolling(100 * time.Millisecond).Should(Succeed())
		}
		g.Expect(owner).To(Equal(vni), "%s stands for a guest of VNI %d", ip, owner)
	}).WithTimeout(4 * Bound).WithPolling(100 * time.Millisecond).Should(Succeed())
	Expect(time.Since(begin)).To(BeNumerically(">", quarantine-time.Second), "%s was given away within its quarantine", ip)
	AddReportEntry("reassigned", time.Since(begin).Round(time.Millisecond).String()+" after its mapping was gone")
}

// owner is the VNI for whose guest the unique IP stands (0: nobody's), and how
// many mappings each VNI has.
func (r *Region) owner(ctx context.Context, g Gomega, ip netip.Addr) (owner uint32, mapped map[uint32]int) {
	ms, err := r.mappings(ctx)
	g.Expect(err).NotTo(HaveOccurred())
	mapped = map[uint32]int{}
	for _, m := range ms {
		mapped[m.VNI]++
		if m.UniqueIP == ip {
			owner = m.VNI
		}
	}
	return owner, mapped
}

// Reaches says that a gateway's forwarding plane carries a connection to the
// unique IP.
func Reaches(ctx context.Context, r *Region, gateway topology.Ref, ip netip.Addr) {
	GinkgoHelper()
	Eventually(ctx, func() error { return r.connect(ctx, gateway, ip) }).
		WithTimeout(Bound).WithPolling(100 * time.Millisecond).Should(Succeed())
}

// ReachesNot waits until it does not.
func ReachesNot(ctx context.Context, r *Region, gateway topology.Ref, ip netip.Addr) {
	GinkgoHelper()
	Eventually(ctx, func() error { return r.connect(ctx, gateway, ip) }).
		WithTimeout(Bound).WithPolling(100*time.Millisecond).ShouldNot(Succeed(), "%s still reaches %s", gateway, ip)
}

func (r *Region) connect(ctx context.Context, from topology.Ref, ip netip.Addr) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	c, err := r.node(from).Dial(ctx, "tcp", netip.AddrPortFrom(ip, topology.EchoPort))
	if err == nil {
		c.Close()
	}
	return err
}
