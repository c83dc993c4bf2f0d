//go:build scenarios

package kit

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/tenant"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Bound is how long anything may take that a scenario waits for. It is at
// least ten times what a quiet machine needs: scenarios report what they
// measured, and only benchmarks judge it.
const Bound = 15 * time.Second

const echoPort = topology.EchoPort

// A Region is a lab with the evidence of one scenario.
type Region struct {
	Lab      *lab.Lab
	Plan     *topology.Plan
	Recorder *history.Recorder
	Tenant   *tenant.Client

	facts check.Facts
	dir   string
}

// Up builds a topology of the library with the binaries of $UNILB_BIN. It is
// torn down after the spec; when the spec has failed, its evidence is written
// first, and the failure says where.
func Up(ctx context.Context, name string) *Region {
	GinkgoHelper()
	spec, err := topology.LoadLibrary(name)
	Expect(err).NotTo(HaveOccurred())
	plan, err := spec.Plan()
	Expect(err).NotTo(HaveOccurred())
	r := &Region{Plan: plan, Recorder: history.NewRecorder(history.NewClock()), dir: evidenceDir()}
	By("bring up " + name)
	begin := time.Now()
	r.Lab, err = lab.Up(ctx, plan, lab.Options{
		BinDir: os.Getenv("UNILB_BIN"), Recorder: r.Recorder, Dir: r.dir,
		Progress: func(s lab.Step) {
			GinkgoWriter.Printf("  %-8s %-40s %s\n", s.Name, s.Text, s.Took.Round(time.Millisecond))
		},
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func(ctx SpecContext) { r.down(ctx) }, NodeTimeout(time.Minute))
	AddReportEntry("region up", time.Since(begin).Round(10*time.Millisecond).String())
	r.Tenant = r.tenantClient()
	r.facts = check.FactsOf(plan)
	return r
}

// down keeps the evidence of a failed spec, then takes the lab down.
func (r *Region) down(ctx context.Context) {
	failed := CurrentSpecReport().Failed()
	if failed {
		if err := r.Recorder.Snapshot().Save(r.dir); err != nil {
			GinkgoWriter.Println("evidence:", err)
		}
		GinkgoWriter.Println("evidence kept in", r.dir)
	}
	Expect(r.Lab.Down(ctx)).To(Succeed())
	if !failed {
		Expect(os.RemoveAll(r.dir)).To(Succeed())
	}
}

// evidenceDir is a folder for what belongs to the running spec.
func evidenceDir() string {
	root := os.Getenv("UNILB_EVIDENCE")
	if root == "" {
		root = filepath.Join(os.TempDir(), "unilb-scenarios")
	}
	Expect(os.MkdirAll(root, 0o755)).To(Succeed())
	dir, err := os.MkdirTemp(root, time.Now().Format("20060102T150405-"))
	Expect(err).NotTo(HaveOccurred())
	return dir
}

// tenantClient calls lbc-api from the edge router; outside the lab the stack
// platform would stand there.
func (r *Region) tenantClient() *tenant.Client {
	var replicas []netip.AddrPort
	for _, n := range r.Plan.Nodes {
		if n.Kind == topology.KindAPI {
			replicas = append(replicas, netip.AddrPortFrom(n.Underlay, topology.APIPort))
		}
	}
	return tenant.New(r.from(topology.KindEdge), topology.APIKey, replicas...)
}

// from is the first node of a kind.
func (r *Region) from(k topology.Kind) *lab.Node {
	GinkgoHelper()
	for _, n := range r.Plan.Nodes {
		if n.Kind == k {
			return r.node(n.Ref)
		}
	}
	Fail(fmt.Sprintf("the plan has no node of kind %s", k))
	return nil
}

func (r *Region) node(ref topology.Ref) *lab.Node {
	GinkgoHelper()
	n, err := r.Lab.Node(ref)
	Expect(err).NotTo(HaveOccurred())
	return n
}

// planned is the plan's node.
func (r *Region) planned(ref topology.Ref) topology.Node {
	GinkgoHelper()
	for _, n := range r.Plan.Nodes {
		if n.Ref == ref {
			return n
		}
	}
	Fail(fmt.Sprintf("the plan has no node %s", ref))
	return topology.Node{}
}

// address is where a backend listens: a guest's address in its VPC, or the
// address of a server.
func (r *Region) address(ref topology.Ref) netip.Addr {
	GinkgoHelper()
	n := r.planned(ref)
	if n.Guest != nil {
		return n.Guest.IP
	}
	return n.Underlay
}

// VIP is the address of the VIP with that name.
func (r *Region) VIP(name string) netip.Addr {
	GinkgoHelper()
	for _, v := range r.Plan.VIPs {
		if v.Name == name {
			return v.Address
		}
	}
	Fail(fmt.Sprintf("the topology has no vip %q", name))
	return netip.Addr{}
}

// clients are all clients of the topology.
func (r *Region) clients() []traffic.Client {
	var out []traffic.Client
	for _, n := range r.Lab.Select("client/*") {
		out = append(out, traffic.Client{Ref: n.Ref(), Dialer: n})
	}
	return out
}

// own notes that a VIP and a host name belong to the network of an app.
func (r *Region) own(a App, vip netip.Addr) {
	n := check.Network{Name: a.Name, Addrs: []netip.Addr{vip}, Hosts: []string{a.Host}}
	for _, v := range r.Plan.VPCs {
		if v.Name == a.VPC {
			n.VNI = v.VNI
		}
	}
	r.facts.Networks = append(r.facts.Networks, n)
}
