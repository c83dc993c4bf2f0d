package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/tools/bench/figure"
	"github.com/unilb/unilb/tools/bench/stage"
)

// bench is what all measurements of a run share.
type bench struct {
	bin, dir string
	quick    bool
	routes   int // of the processes
	log      io.Writer
	nice     int // of all processes: that of the driver when it is quick, else the normal one

	groups *stage.Groups
	spawn  *stage.Spawner
	lab    *lab // nil: not needed yet
}

// manyFiles is what a run needs: 64 callers, the load's connections, and some.
const manyFiles = 4096

// open builds what all measurements share; close takes it down again, whatever there is.
func (b *bench) open() (err error) {
	if !sandbox.Inside() || os.Geteuid() != 0 {
		return errors.New("the benchmark needs root and a sandbox; lbsim doctor says what this machine has")
	}
	if err := stage.PrepareNetwork(); err != nil {
		return err
	}
	if b.quick {
		const unnice = 20 // the kernel answers 20 less the nice value
		own, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
		if err != nil {
			return err
		}
		b.nice = unnice - own
	}
	if _, err := stage.AllFiles(manyFiles); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp(sandbox.Dir, "bench-"); err != nil { // in memory
		return err
	}
	if b.groups, err = stage.OpenGroups(b.dir); err != nil {
		return err
	}
	b.spawn = stage.NewSpawner(b.groups)
	return nil
}

func (b *bench) close() error {
	var err error
	if b.lab != nil {
		err = b.lab.close()
	}
	if b.groups == nil {
		return err
	}
	return errors.Join(err, b.groups.Close())
}

// place of everything: all cores. Two cores are few for six processes, and none of
// them is to be spared what the others need.
func (b *bench) place(group string) stage.Place {
	p := stage.Place{Group: group, Nice: b.nice}
	for i := range runtime.NumCPU() {
		p.CPUs = append(p.CPUs, i)
	}
	return p
}

// keep starts one of our binaries; env is added to the environment.
func (b *bench) keep(name, group string, env []string, binary string, args ...string) (*stage.Process, error) {
	cmd := exec.Command(filepath.Join(b.bin, binary), args...)
	cmd.Env = append(os.Environ(), env...)
	return b.spawn.Keep(cmd, name, b.dir, b.place(group))
}

// during makes a turn of what measure returns and of what else the machine did then.
func (b *bench) during(measure func() (float64, error)) (figure.Turn, error) {
	before, err := b.groups.Count("")
	if err != nil {
		return figure.Turn{}, err
	}
	v, err := measure()
	if err != nil {
		return figure.Turn{}, err
	}
	after, err := b.groups.Count("")
	return figure.Turn{Value: stage.SixDigits(v), Noise: after.Since(before)}, err
}

// pick is how often something is done.
func (b *bench) pick(full, quick int) int {
	if b.quick {
		return quick
	}
	return full
}

// dot shows that it goes on.
func (b *bench) dot() { fmt.Fprint(b.log, ".") }

// needed returns the lab with all routes, and starts it once.
func (b *bench) needed(ctx context.Context) (*lab, error) {
	if b.lab != nil {
		return b.lab, nil
	}
	l, err := openLab(ctx, b)
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	b.lab = l
	return l, nil
}
