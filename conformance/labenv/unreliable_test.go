package labenv

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/conformance/flake"
	"github.com/unilb/unilb/conformance/report"
	"github.com/unilb/unilb/conformance/spec"
)

func TestRunsMarkTheQuarantineAndGrowTheLedger(t *testing.T) {
	o := Options{Out: t.TempDir()}
	q := &flake.Quarantine{Budget: flake.Budget{Quarantined: 1, Rate: 0.04}, Cases: []flake.Entry{{Case: "A-ONE", Reason: "slow disks"}}}
	for run := range 2 {
		r := &report.Report{
			Gateway: report.Gateway{Name: "gw", Binary: "sha256:1"}, Suite: report.Suite{Cases: "sha256:2"}, Run: report.Run{Started: time.Unix(1, 0), TopologyDigest: "sha256:3"},
			Cases: []spec.Result{{Case: "A-ONE", State: spec.Fail, Runs: 20, Passed: 19, Flaky: true}, {Case: "A-TWO", State: spec.Pass}},
		}
		if err := o.reliability(r, q); err != nil {
			t.Fatal(err)
		}
		if r.Cases[0].Quarantine == nil || r.Cases[1].Quarantine != nil {
			t.Errorf("run %d: marks %+v", run, r.Cases)
		}
		if got := strings.Join(r.Problems, "\n"); !strings.Contains(got, "1 flakes in 21 runs") {
			t.Errorf("run %d: got problems %q, want the budget for flakes", run, got)
		}
		if err := cleanOut(o.Out); err != nil { // as the next run does
			t.Fatal(err)
		}
	}
	f, err := os.Open(filepath.Join(o.Out, flake.LedgerFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := flake.Read("ledger", f)
	if err != nil || len(records) != 4 || records[0].Binary != "sha256:1" || records[0].Topology != "sha256:3" {
		t.Errorf("got %+v, %v, want four records of one build", records, err)
	}
}
