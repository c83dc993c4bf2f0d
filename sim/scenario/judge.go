package scenario

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/unilb/unilb/sim/act"
	"github.com/unilb/unilb/sim/bundle"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/history"
)

// check applies the scenario's checks to what was recorded in a lab that was up.
func (j *Job) check(up error) []check.Verdict {
	if up != nil {
		return nil
	}
	return check.JudgeSpecs(loads(j.rec.Snapshot()), j.region.Facts(), specsOf(j.s.File.Checks))
}

// sum is the verdict of the run with all that is known about it.
func (j *Job) sum(verdicts []check.Verdict, interrupted bool) bundle.Verdict {
	v := bundle.Verdict{Interrupted: interrupted, Verdicts: verdicts, Problems: j.problems, Rerun: j.order.Rerun}
	if j.failed != nil {
		v.Failed = j.failed.Error()
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
	say(Line{Kind: LineResult, Result: v.Result, Interrupted: v.Interrupted, Text: v.Failed, Run: j.bundle.Dir, Rerun: v.Rerun})
}

// Rejudge lets today's checks judge what an older run recorded. What the run said
// of itself (a step that failed, problems of the testbed) stays. Notes say what
// was changed by hand since it was written. A file that cannot be read is an error
// that names it.
func Rejudge(b *bundle.Bundle) (v bundle.Verdict, notes []string, err error) {
	if err := b.Unbroken(); err != nil {
		return v, nil, err // the seal is written last: a run without it is not whole
	}
	if err := b.ReadYAML(bundle.VerdictFile, &v); err != nil {
		return v, nil, err
	}
	h, err := history.Open(b.Dir)
	if err != nil {
		return v, nil, &bundle.Damaged{Path: missingOr(b.Dir, err), Err: err}
	}
	var facts check.Facts
	var specs []check.Any
	if err := b.ReadJSON(bundle.FactsFile, &facts); err != nil {
		return v, nil, err
	}
	if err := b.ReadJSON(bundle.ChecksFile, &specs); err != nil {
		return v, nil, err
	}
	if odd := unasked(h); odd != "" && !v.Interrupted && !slices.Contains(v.Problems, odd) {
		v.Problems = append(v.Problems, odd)
	}
	v.Verdicts = check.JudgeSpecs(loads(h), facts, specsOf(specs))
	v.Result = bundle.Sum(v)
	return v, h.Edited, nil
}

// missingOr is the file that an error says is not there, or the directory.
func missingOr(dir string, err error) string {
	var path *fs.PathError
	if errors.As(err, &path) && errors.Is(err, fs.ErrNotExist) {
		return path.Path
	}
	return dir
}
