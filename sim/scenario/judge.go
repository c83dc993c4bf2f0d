package scenario

import (
	"fmt"

	"github.com/unilb/unilb/sim/act"
	"github.com/unilb/unilb/sim/bundle"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/lab/supervisor"
)

// judge applies the scenario's checks to what was recorded.
func (j *Job) judge(how supervisor.Ended) bundle.Verdict {
	v := bundle.Verdict{Problems: j.problems, Rerun: j.order.Rerun}
	if j.failed != nil {
		v.Failed = j.failed.Error()
	}
	if how.Up == nil {
		v.Verdicts = check.JudgeSpecs(loads(j.rec.Snapshot()), j.region.Facts(), specsOf(j.s.File.Checks))
	}
	v.Result = bundle.Sum(v)
	return v
}

// loads is the history without what waits asked.
func loads(h *history.History) *history.History {
	return h.Only(func(o history.Op) bool { return !act.IsProbe(o.Stream) })
}

func specsOf(all []check.Any) []check.Spec {
	var out []check.Spec
	for _, a := range all {
		out = append(out, a.Spec())
	}
	return out
}

// tell says the verdict, line by line.
func (j *Job) tell(v bundle.Verdict, say func(any)) {
	h := j.rec.Snapshot()
	say(Line{Kind: LineJudged, Text: fmt.Sprintf("%d operations, %d arrivals, %d writes", len(h.Ops), len(h.Arrivals), len(h.Writes)), At: j.rec.Now()})
	for _, one := range v.Verdicts {
		say(Line{Kind: LineVerdict, Name: one.Check, Verdict: &one})
	}
	for _, p := range v.Problems {
		say(Line{Kind: LineProblem, Text: p})
	}
	say(Line{Kind: LineResult, Result: v.Result, Text: v.Failed, Run: j.bundle.Dir, Rerun: v.Rerun})
}

// Rejudge lets today's checks judge what an older run recorded. What the run said
// of itself (a step that failed, problems of the testbed) stays. Notes say what
// was changed by hand since it was written. A file that cannot be read is an error
// that names it.
func Rejudge(b *bundle.Bundle) (v bundle.Verdict, notes []string, err error) {
	h, err := history.Open(b.Dir)
	if err != nil {
		return v, nil, &bundle.Damaged{Path: b.Dir, Err: err}
	}
	var facts check.Facts
	var specs []check.Any
	if err := b.ReadJSON(bundle.FactsFile, &facts); err != nil {
		return v, nil, err
	}
	if err := b.ReadJSON(bundle.ChecksFile, &specs); err != nil {
		return v, nil, err
	}
	if err := b.ReadYAML(bundle.VerdictFile, &v); err != nil {
		return v, nil, err
	}
	v.Verdicts = check.JudgeSpecs(loads(h), facts, specsOf(specs))
	v.Result = bundle.Sum(v)
	return v, h.Edited, nil
}
