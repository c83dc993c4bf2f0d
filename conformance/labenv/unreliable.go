package labenv

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/unilb/unilb/conformance/cases"
	"github.com/unilb/unilb/conformance/flake"
	"github.com/unilb/unilb/conformance/report"
)

// caseIDs are the ids of all cases.
func caseIDs() []string {
	var ids []string
	for _, c := range cases.All() {
		ids = append(ids, c.ID)
	}
	return ids
}

// quarantine reads the file that was asked for, or the one of the suite. An entry
// that has expired is bad input.
func (o Options) quarantine(now time.Time) (*flake.Quarantine, error) {
	known := caseIDs()
	if o.Quarantine == "" {
		return flake.Ours(known, now)
	}
	text, err := os.ReadFile(o.Quarantine)
	if err != nil {
		return nil, fmt.Errorf("read quarantine: %w", err)
	}
	return flake.Decode(o.Quarantine, text, known, now)
}

// reliability marks cases in quarantine, notes in the ledger how each case ended,
// and says when the budget for flakes is spent. Call it when the report has all
// its results, before Fill.
func (o Options) reliability(r *report.Report, q *flake.Quarantine) error {
	q.Mark(r.Cases)
	b := flake.Build{Gateway: r.Gateway.Name, Binary: r.Gateway.Binary, Cases: r.Suite.Cases, Topology: r.Run.TopologyDigest}
	records := flake.Records(r.Run.Started, b, r.Cases)
	r.Problems = append(r.Problems, q.Problems(records)...)
	ledger := o.Ledger
	if ledger == "" {
		ledger = filepath.Join(o.Out, flake.LedgerFile) // cleanOut leaves it
	}
	return flake.Append(ledger, records)
}
