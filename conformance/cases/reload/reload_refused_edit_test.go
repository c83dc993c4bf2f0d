package reload

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/unilb/unilb/conformance/spec"
)

// taking is a place in which taking over a revision ends so.
type taking struct {
	spec.Env
	err error
}

func (p taking) Applied(context.Context, int64) error { return p.err }

func TestOnlyARefusalIsARefusal(t *testing.T) {
	for name, c := range map[string]struct {
		status         int
		err            error
		failed, broken bool
	}{
		"when it is written":        {http.StatusBadRequest, nil, false, false},
		"an accident":               {http.StatusBadGateway, nil, true, false},
		"when it is taken over":     {http.StatusOK, &spec.Refused{Node: "l7-1", Why: "no"}, false, false},
		"on one node":               {http.StatusOK, fmt.Errorf("revision 3: %w", &spec.Refused{Node: "l7-1", Why: "no"}), false, false},
		"in force":                  {http.StatusOK, nil, true, false},
		"late":                      {http.StatusOK, fmt.Errorf("revision 3: %w", context.DeadlineExceeded), true, false},
		"a gateway that has ended":  {http.StatusOK, errors.New("l7-1 has ended"), true, false},
		"a full disk":               {http.StatusOK, &spec.Trouble{Err: errors.New("no space left on device")}, false, true},
		"a full disk and a refusal": {http.StatusOK, errors.Join(&spec.Refused{}, &spec.Trouble{Err: errors.New("no space left on device")}), false, true},
	} {
		x := spec.NewT(taking{err: c.err}, spec.Vars{ID: "x"})
		var wg sync.WaitGroup
		wg.Go(func() { mustBeRefused(t.Context(), x, spec.Reply{Status: c.status}, "PUT") }) // it may end its goroutine
		wg.Wait()
		if r := x.Close(); r.Failed != c.failed || r.Broken != c.broken {
			t.Errorf("%s: got failed %v, broken %v, %q; want %v, %v", name, r.Failed, r.Broken, r.Says, c.failed, c.broken)
		}
	}
}
