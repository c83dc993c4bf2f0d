//go:build netns

package proc_test

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/proc"
)

// A peer that has seen a process go is right, although nobody has collected the
// process yet.
func TestProcessThatIsGoneForItsPeersIsEnding(t *testing.T) {
	r, ns := runner(t)
	still := 0
	for range 50 {
		near, far, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		p, err := r.Start(proc.Spec{Name: "node/peer", NS: ns, Path: "/proc/self/exe", Env: map[string]string{roleVar: "ignores"}, Stdout: far, Stderr: far})
		far.Close()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := near.Read(make([]byte, 16)); err != nil { // it says that it has started
			t.Fatal(err)
		}
		if p.Ending() {
			t.Fatal("it ends before anybody has killed it")
		}
		// The group, for the child has the pipe, too.
		if err := unix.Kill(-p.Pid(), unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if _, err := near.Read(make([]byte, 16)); err == nil {
			t.Fatal("it said something more")
		}
		near.Close()
		if p.Running() {
			still++
		}
		if !p.Ending() {
			t.Fatal("its pipe is closed, and it does not end")
		}
		<-p.Done()
		if !p.Ending() {
			t.Fatal("it has ended and does not end")
		}
	}
	t.Logf("%d of 50 were still running when their pipe was closed", still)
}
