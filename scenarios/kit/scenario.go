//go:build scenarios

package kit

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/unilb/unilb/scenarios/incidents"
	"github.com/unilb/unilb/sim/bundle"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/scenario"
	"github.com/unilb/unilb/topology"
)

// order is what is needed to run an incident that comes with the testbed.
func order(name string) scenario.Order {
	text, err := incidents.Files.ReadFile(name + ".yaml")
	if err != nil {
		panic(err) // it is compiled in, and Names lists it
	}
	o := scenario.Order{Path: name + ".yaml", Text: text}
	if file, err := scenario.TopologyOf(o.Path, text); err == nil && topology.IsFile(file) {
		o.Topology, _ = incidents.Files.ReadFile(file) // what is missing is said when it is parsed
	}
	return o
}

// About is the sentence that an incident stands for.
func About(name string) string {
	s, err := order(name).Parse()
	if err != nil {
		return "it cannot be read: " + err.Error()
	}
	return strings.Join(strings.Fields(s.File.About), " ")
}

// Run runs an incident that comes with the testbed as "lbsim run" does, and wants
// a good end. The evidence of another end is kept.
func Run(ctx context.Context, name string) {
	GinkgoHelper()
	o := order(name)
	s, err := o.Parse()
	Expect(err).NotTo(HaveOccurred())
	o.Dir = evidenceDir()
	asked := Asked()
	gateway, err := asked.Gateways(s.Plan)
	Expect(err).NotTo(HaveOccurred())
	o.Run = bundle.Run{
		Name: name, Started: time.Now(), Command: os.Args, Seed: s.Seed, Topology: s.File.Topology, Lab: s.Plan.Lab,
		Driver: asked.Driver, Binary: asked.Binary,
	}
	o.Rerun = strings.Join(append([]string{"lbsim run", name}, asked.Flags()...), " ")
	job, err := scenario.NewJob(o, gateway)
	Expect(err).NotTo(HaveOccurred())
	var failed []string
	code := job.Run(ctx, lab.Options{BinDir: os.Getenv("UNILB_BIN")}, func(v any) {
		line, ok := v.(scenario.Line)
		if !ok {
			return
		}
		text, _ := json.Marshal(line) // plain data
		GinkgoWriter.Printf("  %s\n", text)
		switch line.Kind {
		case scenario.LineStep:
			By(line.Name + " " + line.Text)
		case scenario.LineFailed, scenario.LineProblem:
			failed = append(failed, line.Name+" "+line.Text)
		case scenario.LineVerdict:
			AddReportEntry("verdict", line.Verdict.String())
			failed = append(failed, line.Verdict.String())
		}
	})
	if code == 0 {
		Expect(os.RemoveAll(o.Dir)).To(Succeed())
		return
	}
	Fail(fmt.Sprintf("exit code %d, evidence in %s\n%s", code, o.Dir, strings.Join(failed, "\n")))
}
