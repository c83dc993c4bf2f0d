package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/tools/bench/load"
	"github.com/unilb/unilb/tools/bench/stage"
)

// A Gateway is a form of ours that is measured: its flags beside those that every
// form has.
type Gateway struct {
	Name  string
	Flags []string
}

// bench is what all rows of a run share.
type bench struct {
	bin, dir          string
	proxyCPU, loadCPU int
	gateways          []Gateway
	rounds            int
	log               io.Writer

	files     uint64 // that a process may open
	groups    *stage.Groups
	spawn     *stage.Spawner
	pair      certPair
	responder *stage.Process
	controls  map[string]*control
}

// open builds what all rows share; close takes it down again, whatever there is.
func (b *bench) open(ctx context.Context) (err error) {
	if !sandbox.Inside() || os.Geteuid() != 0 {
		return errors.New("the benchmark needs root and a sandbox; lbsim doctor says what this machine has")
	}
	if err := lookTools(); err != nil {
		return err
	}
	if runtime.NumCPU() < 2 {
		return errors.New("the benchmark needs two cores: one for the proxy, one for the load")
	}
	if err := stage.PrepareNetwork(); err != nil {
		return err
	}
	if b.files, err = stage.AllFiles(2*idleConns + 1000); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp(sandbox.Dir, "bench-"); err != nil { // in memory: a disk would steal time
		return err
	}
	if b.groups, err = stage.OpenGroups(b.dir); err != nil {
		return err
	}
	if err := driverTo(b.loadCPU); err != nil {
		return err
	}
	b.spawn = stage.NewSpawner(b.groups)
	if b.pair, err = newPair(); err != nil {
		return err
	}
	at := stage.Place{Group: "lab", CPUs: []int{b.loadCPU}}
	if b.responder, err = b.spawn.Keep(part(load.ResponderPart, responderAt), "responder", b.dir, at); err != nil {
		return err
	}
	if err := b.responder.Await(ctx, 10*time.Second, func(ctx context.Context) error { return stage.Listens(ctx, responderAt) }); err != nil {
		return err
	}
	b.controls = map[string]*control{}
	for i, g := range b.gateways {
		c, err := b.startControl(ctx, g.Name, i)
		if c != nil {
			b.controls[g.Name] = c
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func lookTools() error {
	for _, tool := range []string{"nginx", "haproxy", "wrk", "h2load"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%w: make bench-deps installs it", err)
		}
	}
	return nil
}

// driverTo keeps all threads of this process on the load's core.
func driverTo(cpu int) error {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	var set unix.CPUSet
	set.Set(cpu)
	for _, t := range tasks {
		tid := 0
		if _, err := fmt.Sscan(t.Name(), &tid); err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(tid, &set); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("keep the driver on core %d: %w", cpu, err)
		}
	}
	return nil
}

func (b *bench) close() error {
	for _, c := range b.controls {
		c.stop()
	}
	if b.responder != nil {
		b.responder.Stop()
	}
	if b.groups == nil {
		return nil
	}
	return b.groups.Close()
}

// parseGateway reads "name=flags of l7gw", or "name" alone.
func parseGateway(text string) (Gateway, error) {
	name, flags, _ := strings.Cut(text, "=")
	bad := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }
	if name == "" || strings.ContainsFunc(name, bad) || name == nginxName || name == controlName || name == haproxyName {
		return Gateway{}, fmt.Errorf("gateway %q: want a name of a-z, 0-9 and -, other than those of the proxies beside it, then = and flags of l7gw", text)
	}
	return Gateway{Name: name, Flags: strings.Fields(flags)}, nil
}
