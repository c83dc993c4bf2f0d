package scenario

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/unilb/unilb/sim/act"
	"github.com/unilb/unilb/sim/bundle"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/lab"
)

// save writes the history and what judges must know beside it.
func (j *Job) save() error {
	facts := check.FactsOf(j.s.Plan)
	if j.region != nil {
		facts = j.region.Facts()
	}
	return errors.Join(j.rec.Snapshot().Save(j.bundle.Dir), j.bundle.WriteJSON(bundle.FactsFile, facts))
}

// keepEvidence writes, first of all and while the lab is up, what a reader of a
// failed run needs. The end of what the wires carried is kept only then: it is
// large, and vanishes with the lab.
func (j *Job) keepEvidence(ctx context.Context, l *lab.Lab) {
	j.problemIf("evidence", j.save())
	if ctx.Err() == nil && j.goodSoFar() {
		return
	}
	if len(l.Wires()) == 0 {
		return
	}
	err := j.bundle.Write(bundle.WiresFile, func(w io.Writer) error { return l.Capture(w, "**") })
	if err != nil {
		j.problem("keep what the wires carried: %v", err)
	}
}

// goodSoFar judges a run whose lab is up. What is left behind is counted later, and
// no frame explains it.
func (j *Job) goodSoFar() bool {
	var verdicts []check.Verdict
	for _, v := range j.check(nil) {
		if v.Check != check.NothingLeft().Name() {
			verdicts = append(verdicts, v)
		}
	}
	return j.sum(verdicts, false).Result == bundle.Good
}

// dumpStores writes what each region's store holds at the end, and looks whether a
// data plane of APISIX would take all of it.
func (j *Job) dumpStores(ctx context.Context) {
	for _, region := range j.region.Stores() {
		kvs, err := j.region.DumpStore(ctx, region)
		if err == nil {
			err = j.bundle.WriteJSON(fmt.Sprintf("%s/%s.json", bundle.EtcdDir, region), kvs)
			j.judgeStored(region, kvs)
		}
		if err != nil {
			// A store that a fault has taken away cannot be read: that is no
			// problem of the run.
			j.region.Note("evidence", "store of %s not kept: %v", region, err)
		}
	}
}

// judgeStored fails a run at whose end a store holds an object that a data plane
// would drop.
func (j *Job) judgeStored(region string, kvs []act.Key) {
	odd := act.NotTaken(kvs)
	if len(odd) == 0 {
		return
	}
	err := fmt.Errorf("the store of %s holds %d objects that no data plane takes, the first: %s", region, len(odd), odd[0])
	if j.failed == nil {
		j.failed = err
		return
	}
	j.region.Note("evidence", "%v", err)
}
