package proc

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/netns"
)

// maxOutput is how much of each stream of a command is kept, in bytes.
const maxOutput = 16 << 20

// Output is what a command wrote and how it ended.
type Output struct {
	Stdout, Stderr []byte // at most 16 MiB each
	Exit           Exit
	Took           time.Duration
}

// Exec runs a command to its end in ns and returns its output. A command that
// fails is no error: see Output.Exit. When ctx is done first, the command is
// killed and ctx's error returned beside what it wrote.
func (r *Runner) Exec(ctx context.Context, name string, ns *netns.NS, argv ...string) (Output, error) {
	if len(argv) == 0 {
		return Output{}, fmt.Errorf("exec in %s: no command", name)
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return Output{}, fmt.Errorf("exec in %s: %w", name, err)
	}
	var streams [2]*os.File
	for i := range streams {
		// A file in memory, not a pipe: a grandchild that keeps it open keeps
		// nobody waiting.
		fd, err := unix.MemfdCreate("output", unix.MFD_CLOEXEC)
		if err != nil {
			return Output{}, fmt.Errorf("exec in %s: %w", name, err)
		}
		streams[i] = os.NewFile(uintptr(fd), "output")
		defer streams[i].Close()
	}
	start := time.Now()
	p, err := r.Start(Spec{Name: name, NS: ns, Path: path, Args: argv[1:], Stdout: streams[0], Stderr: streams[1]})
	if err != nil {
		return Output{}, err
	}
	_, err = p.Wait(ctx)
	if err != nil {
		_ = p.Kill() // it may have ended this moment
		<-p.Done()
	}
	out := Output{Exit: p.Exit(), Took: time.Since(start)}
	out.Stdout, out.Stderr = readAll(streams[0]), readAll(streams[1])
	return out, err
}

func readAll(f *os.File) []byte {
	b, err := io.ReadAll(io.NewSectionReader(f, 0, maxOutput))
	if err != nil {
		return nil
	}
	return b
}
