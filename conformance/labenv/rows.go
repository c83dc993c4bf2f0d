package labenv

import (
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

// Rows of a report that are about the gateway's processes and not about a case.
const (
	startRow    = "GATEWAY-START"
	revisionRow = "GATEWAY-REVISION"
	lifeRow     = "GATEWAY-LIFE"
	drainRow    = "GATEWAY-DRAIN"
)

// rowProfile groups them; no driver claims it.
const rowProfile = "GATEWAY"

var rowTitles = map[string]string{
	startRow:    "The gateway starts, and gets ready within the time that its driver names.",
	revisionRow: "What the gateway says to have in force is what it serves.",
	lifeRow:     "The gateway lives through all cases, and its log stays within the lab's limit.",
	drainRow:    "Told to end, the idle gateway ends by itself, within the time that its driver names.",
}

// aboutGateway makes such a row: passed, or failed with what it says.
func aboutGateway(id string, took time.Duration, says ...string) spec.Result {
	r := spec.Result{
		Case: id, Title: rowTitles[id], Level: spec.Must, Profile: rowProfile, Blocking: id == startRow || id == revisionRow, // the others are known at the end
		Refs: []string{"docs/compare.md, rows of the gateway"}, State: spec.Pass, Took: took, Says: says,
	}
	if len(says) > 0 {
		r.State = spec.Fail
	}
	return r
}
