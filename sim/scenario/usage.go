package scenario

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/unilb/unilb/sim/bundle"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/proc"
)

// sampleEvery is how often the use of each process is written down.
const sampleEvery = time.Second

// sample writes what every process of the lab uses into the bundle while the run
// goes on. The returned function ends that and waits for the last line.
func (j *Job) sample(l *lab.Lab) (end func() error, err error) {
	f, err := os.Create(j.bundle.Path(bundle.UsageFile))
	if err != nil {
		return nil, fmt.Errorf("keep usage: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		w := bufio.NewWriter(f)
		lines := json.NewEncoder(w)
		var failed error
		l.Sample(ctx, sampleEvery, func(s proc.Sample) {
			if failed == nil {
				failed = lines.Encode(s)
			}
		})
		done <- errors.Join(failed, w.Flush(), f.Close())
	}()
	return func() error {
		cancel()
		return <-done
	}, nil
}
