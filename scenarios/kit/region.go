//go:build scenarios

package kit

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/unilb/unilb/conformance/labenv"
	"github.com/unilb/unilb/sim/act"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/stored"
	"github.com/unilb/unilb/sim/tenant"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Bound is how long anything may take that a scenario waits for.
const Bound = act.Bound

// Asked is the gateway that scenarios were asked to start: $UNILB_GATEWAY is a driver,
// $UNILB_GATEWAY_BINARY a program in the place of its own.
func Asked() labenv.Asked { return labenv.AskedBy(os.Getenv) }

// A Region is a lab with the evidence of one scenario.
type Region struct {
	*act.Region
	dir string
}

// Up builds a topology of the library with the binaries of $UNILB_BIN and the gateway
// of Asked. It is torn down after the spec; when the spec has failed, its evidence is
// written first, and the failure says where.
func Up(ctx context.Context, name string) *Region {
	GinkgoHelper()
	spec, err := topology.LoadLibrary(name)
	Expect(err).NotTo(HaveOccurred())
	plan, err := spec.Plan()
	Expect(err).NotTo(HaveOccurred())
	gateway, err := Asked().Gateways(plan)
	Expect(err).NotTo(HaveOccurred())
	r := &Region{dir: evidenceDir()}
	By("bring up " + name)
	begin := time.Now()
	l, err := lab.Up(ctx, plan, lab.Options{
		BinDir: os.Getenv("UNILB_BIN"), Dir: r.dir, Gateway: gateway,
		Progress: func(s lab.Step) {
			GinkgoWriter.Printf("  %-8s %-40s %s\n", s.Name, s.Text, s.Took.Round(time.Millisecond))
		},
	})
	Expect(err).NotTo(HaveOccurred())
	r.Region = act.New(l)
	DeferCleanup(func(ctx SpecContext) { r.down(ctx) }, NodeTimeout(time.Minute))
	AddReportEntry("region up", time.Since(begin).Round(10*time.Millisecond).String())
	return r
}

// down keeps the evidence of a failed spec, then takes the lab down. Objects in a
// store that no data plane would take fail the spec.
func (r *Region) down(ctx context.Context) {
	odd := r.notTaken(ctx)
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
	Expect(odd).To(BeEmpty())
}

// notTaken looks through the stores that still answer.
func (r *Region) notTaken(ctx context.Context) []stored.Problem {
	var odd []stored.Problem
	for _, region := range r.Stores() {
		kvs, err := r.DumpStore(ctx, region)
		if err != nil {
			GinkgoWriter.Println("store of", region, "not looked at:", err)
			continue
		}
		odd = append(odd, act.NotTaken(kvs)...)
	}
	return odd
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

// from is the first node of a kind.
func (r *Region) from(k topology.Kind) *lab.Node {
	GinkgoHelper()
	n, err := r.First(k, "")
	Expect(err).NotTo(HaveOccurred())
	return n
}

// tenant is the client of the region's lbc-api.
func (r *Region) tenant() *tenant.Client {
	GinkgoHelper()
	t, err := r.Tenant("")
	Expect(err).NotTo(HaveOccurred())
	return t
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

// clients are all clients of the topology.
func (r *Region) clients() []traffic.Client {
	GinkgoHelper()
	out, err := r.Clients("")
	Expect(err).NotTo(HaveOccurred())
	return out
}
