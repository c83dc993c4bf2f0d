package main

import (
	"context"

	"github.com/unilb/unilb/tools/bench/figure"
)

// allRoutes is how many routes there are in everything that is measured.
const allRoutes = 100_000

// A row is one figure.
type row struct {
	name, by    string // by: the measurement that makes it
	about, unit string
	target      figure.Target
	exact       bool // it does not depend on what else runs; the worst turn counts
}

var rows = []row{
	{name: "in-force-p50", by: "in-force", unit: "ms", target: figure.AtMost(5),
		about: "a PUT of one route until four gateways have answered a long-poll that it is in force; idle, one etcd member in memory, no delay of wires; median"},
	{name: "in-force-p99", by: "in-force", unit: "ms", about: "the same, 99th percentile of all samples"},
	{name: "two-az-p50", by: "two-az", unit: "ms", about: "the same in the topology two-az: three etcd members, the third place with no gateway, a wire of 1 ms between the zones"},
	{name: "two-az-p99", by: "two-az", unit: "ms", about: "the same, 99th percentile of all samples"},
	{name: "changes-lost", by: "changes", unit: "requests", target: figure.AtMost(0), exact: true,
		about: "requests without an answer, at a tenth of capacity and fixed moments, during 300 changes a second for a minute, and in phases without before and after"},
	{name: "changes-p99", by: "changes", unit: "times", about: "99th percentile of these requests with changes, of that without; a third of the minute each; A/A: phases without, the two of each side and the sides"},
	{name: "change-one", by: "package", unit: "us", target: figure.AtMost(20), about: "one route changes: from its bytes to the snapshot in force; median"},
	{name: "cold-start", by: "cold-start", unit: "s", target: figure.AtMost(4), about: "CPU time of l7gw from its start until all routes are in force"},
	{name: "index-bytes", by: "memory", unit: "B", target: figure.AtMost(200), exact: true, about: "what the routing table alone holds, for each route"},
	{name: "route-bytes", by: "cold-start", unit: "B", target: figure.AtMost(1536), exact: true, about: "live heap of l7gw for each route, without the bytes of its JSON"},
	{name: "match", by: "package", unit: "us", target: figure.AtMost(1), about: "a random request that has just been read finds its route, of which nothing is in a cache; four of ten routes have conditions; mean"},
	{name: "match-allocs", by: "package", unit: "allocations", target: figure.AtMost(0), exact: true, about: "what that allocates"},
	{name: "writes", by: "writes", unit: "1/s", target: figure.AtLeast(1500), about: "PUT of routes by 64 callers, one l7admin, one etcd member in memory"},
	{name: "writes-vs-raw", by: "writes", unit: "times", target: figure.AtLeast(0.4), about: "these, of get and transaction against the same etcd in turn, same values, 64 callers"},
	{name: "list-memory", by: "list", unit: "MiB", target: figure.AtMost(64), exact: true, about: "how much larger l7admin gets by listing all routes"},
	{name: "list-first", by: "list", unit: "times", target: figure.AtMost(0.1), about: "when the first byte of that list comes, of when the last does"},
	{name: "resync-rebuilt", by: "resync", unit: "objects", target: figure.AtMost(0), exact: true, about: "rebuilt by a gateway that finds its revisions compacted and nothing changed"},
	{name: "last-good-cpu", by: "last-good", unit: "us", about: "CPU time for each change that --state-dir costs, at 100 changes a second"},
	{name: "last-good-bytes", by: "last-good", unit: "B", about: "bytes written to --state-dir for each change then"},
}

func rowNames() (out []string) {
	for _, r := range rows {
		out = append(out, r.name)
	}
	return out
}

// rowsOf are the chosen rows of a measurement.
func rowsOf(chosen []row, measurement string) (out []row) {
	for _, r := range chosen {
		if r.by == measurement {
			out = append(out, r)
		}
	}
	return out
}

// measurements are made in this order: gateways that one has started stay for the next,
// and the longest are the last.
var measurements = []struct {
	name string
	make func(context.Context, *bench, *result) error
}{
	{"package", measurePackage},
	{"memory", measureMemory},
	{"cold-start", measureColdStart},
	{"in-force", measureInForce},
	{"resync", measureResync},
	{"last-good", measureLastGood},
	{"writes", measureWrites},
	{"list", measureList},
	{"changes", measureChanges},
	{"two-az", measureTwoAZ},
}

// result is what one measurement gives: turns, and what stands beside them, by the
// name of the row.
type result struct {
	turns map[string][]figure.Turn
	more  map[string]map[string]float64
	aa    map[string]*figure.Spread // of rows with a control of their own
}

func newResult() *result {
	return &result{turns: map[string][]figure.Turn{}, more: map[string]map[string]float64{}, aa: map[string]*figure.Spread{}}
}

func (r *result) turn(row string, t figure.Turn) { r.turns[row] = append(r.turns[row], t) }

func (r *result) beside(row, name string, v float64) {
	if r.more[row] == nil {
		r.more[row] = map[string]float64{}
	}
	r.more[row][name] = v
}

func (r *result) row(of row) figure.Row {
	x := figure.Row{Name: of.name, About: of.about, Unit: of.unit, More: r.more[of.name]}
	if of.exact {
		x.JudgeCount(of.target, r.turns[of.name])
	} else {
		x.Judge(of.target, r.turns[of.name])
	}
	if aa := r.aa[of.name]; aa != nil {
		x.AA = aa
	}
	return x
}
