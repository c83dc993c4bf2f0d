//go:build netns

package lab_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/etcd"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/sandbox"
)

// fastest is the shortest of several writes: what a busy machine adds to some of
// them is not in it.
func (s *store) fastest(when string, member int) time.Duration {
	s.t.Helper()
	best := time.Hour
	for i := range 5 {
		begin := time.Now()
		s.mustPut(when, member, "/fastest", fmt.Sprint(i))
		best = min(best, time.Since(begin))
	}
	s.t.Logf("%s: put through member %d takes %v", when, member, best.Round(10*time.Microsecond))
	return best
}

func TestSlowDisksMakeWritesLate(t *testing.T) {
	sandbox.Require(t, sandbox.CapFUSE)
	s := upStore(t, threeImpairable)
	const delay = 200 * time.Millisecond
	if got := s.fastest("before", 0); got >= delay {
		t.Fatalf("before: %v, want less than %v", got, delay)
	}
	a := s.inject(fault.EtcdSlowDisk{On: "bj/*/etcd-*", Delay: delay})
	if got := s.fastest("during", 0); got < delay {
		t.Errorf("during: %v, want at least %v", got, delay)
	}
	begin := time.Now()
	if _, err := s.get(0, etcd.Query{Prefix: "/fastest", Serializable: true}); err != nil {
		t.Errorf("during: a read needs no disk: %v", err)
	}
	t.Logf("during: a read takes %v", time.Since(begin))
	s.heal(a)
	if got := s.fastest("after", 0); got >= delay {
		t.Errorf("after: %v, want less than %v", got, delay)
	}
}

func TestOneSlowFollowerHoldsNobodyUp(t *testing.T) {
	sandbox.Require(t, sandbox.CapFUSE)
	s := upStore(t, threeImpairable)
	leader, err := etcd.Leader(t.Context(), s.member(0), s.member(1), s.member(2))
	if err != nil {
		t.Fatal(err)
	}
	follower := (leader + 1) % len(s.nodes)
	const delay = 300 * time.Millisecond
	a := s.inject(fault.EtcdSlowDisk{On: on(s.nodes[follower].Ref), Delay: delay})
	if got := s.fastest("a slow follower", leader); got >= delay {
		t.Errorf("a slow follower: %v, want less than %v", got, delay)
	}
	s.heal(a)
}

func TestFailingDiskEndsItsMemberAndNoOther(t *testing.T) {
	sandbox.Require(t, sandbox.CapFUSE)
	s := upStore(t, threeImpairable)
	s.mustPut("before", 0, "/k", "v")
	a := s.inject(fault.EtcdSlowDisk{On: "bj/az1/etcd-e1", Error: "EIO"})
	// The member learns of it with the next entry that it must write.
	until(t, "the member ends", func() bool {
		_ = s.put(1, "/k", "w", patient)
		_, err := s.member(0).Status(t.Context())
		return errors.Is(err, unix.ECONNREFUSED)
	})
	s.mustPut("during", 1, "/k", "x")
	s.heal(a)
	s.mustPut("after", 0, "/after", "y")
	if got, err := s.get(0, etcd.Query{Prefix: "/k"}); got != "x" || err != nil {
		t.Errorf("after: the member has %q (%v), want what it missed", got, err)
	}
}

func TestFullDiskEndsTheStoreAndLosesNothing(t *testing.T) {
	for name, text := range map[string]string{"ordinary": oneMember, "impairable": oneImpairable} {
		t.Run(name, func(t *testing.T) {
			s := upStore(t, text)
			big := strings.Repeat("x", 256<<10)
			s.mustPut("before", 0, "/k", "v")
			s.mustPut("before", 0, "/big", big)
			a := s.inject(fault.ExhaustDisk{On: "bj/az1/etcd-e1"})
			var full error
			if err := os.WriteFile("/run/lab/store/bj/az1/etcd-e1/more", []byte("x"), 0o600); !errors.Is(err, unix.ENOSPC) {
				t.Errorf("during: a new file on the disk: got %v, want ENOSPC", err)
			}
			// It goes on in the room that it has reserved, and ends when its
			// database must grow.
			accepted := 0
			until(t, "writes are refused", func() bool {
				full = s.put(0, fmt.Sprintf("/during/%03d", accepted), big, 5*time.Second)
				if full == nil {
					accepted++
				}
				return full != nil
			})
			t.Logf("during: %d writes of 256 KiB were accepted, then: %v", accepted, full)
			if _, err := s.member(0).Status(t.Context()); err == nil {
				if err := s.put(0, "/k", big, 5*time.Second); err == nil {
					t.Error("during: another write is accepted")
				}
			}
			s.heal(a)
			if got, err := s.get(0, etcd.Query{Prefix: "/k"}); got != "v" || err != nil {
				t.Errorf("after: %q (%v), want v", got, err)
			}
			if kvs, err := s.member(0).Dump(t.Context(), "/during/"); err != nil || len(kvs) < accepted {
				t.Errorf("after: %d of %d accepted writes are there (%v)", len(kvs), accepted, err)
			}
			s.mustPut("after", 0, "/after", big)
		})
	}
}

// What etcd has acknowledged is there after SIGKILL and after a loss of power, on a
// disk of ours as on any.
func TestAcknowledgedWritesSurviveOnImpairableDisk(t *testing.T) {
	sandbox.Require(t, sandbox.CapFUSE)
	s := upStore(t, oneImpairable)
	want := 0
	const member = "bj/az1/etcd-e1"
	for round, f := range []fault.Fault{fault.Kill{On: member}, fault.PowerOff{On: member}, fault.Kill{On: member}} {
		done := make(chan int)
		go func() {
			n := want
			for s.put(0, fmt.Sprintf("/n/%06d", n), fmt.Sprint(n), 2*time.Second) == nil {
				n++
			}
			done <- n
		}()
		until(t, "some writes are acknowledged", func() bool {
			a, err := s.member(0).Range(t.Context(), etcd.Query{Prefix: "/n/", Serializable: true, KeysOnly: true})
			return err == nil && len(a.KVs) > want+50
		})
		a := s.inject(f)
		want = <-done
		s.heal(a)
		kvs, err := s.member(0).Dump(t.Context(), "/n/")
		if err != nil || len(kvs) < want {
			t.Fatalf("round %d: %d writes are there (%v), %d were acknowledged", round, len(kvs), err, want)
		}
		for i, kv := range kvs {
			if string(kv.Value) != fmt.Sprint(i) {
				t.Fatalf("round %d: %s is %q", round, kv.Key, kv.Value)
			}
		}
		want = len(kvs)
	}
	t.Logf("%d writes over two kills and a loss of power", want)
}

func TestDownWaitsForNoDiskAndLeavesNone(t *testing.T) {
	sandbox.Require(t, sandbox.CapFUSE)
	before := children(t)
	s := upStore(t, oneImpairable)
	s.inject(fault.EtcdSlowDisk{On: "bj/az1/etcd-e1", Delay: fault.MaxDiskDelay})
	if err := s.put(0, "/k", "v", time.Second); !timedOut(err) {
		t.Fatalf("a write on a disk that takes %v: %v", fault.MaxDiskDelay, err)
	}
	begin := time.Now()
	if err := s.lab.Down(ctx(t)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > fault.MaxDiskDelay/2 {
		t.Errorf("down after %v, want that it waits for no disk", took)
	}
	if got := children(t); got != before {
		t.Errorf("%d processes are left, %d before", got, before)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil || strings.Contains(string(mounts), "etcd-e1") {
		t.Errorf("mounts are left (%v):\n%s", err, mounts)
	}
	if _, err := os.Stat("/run/lab/store/bj/az1/etcd-e1"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the disk is left: %v", err)
	}
}

// BenchmarkPut is what the FUSE costs a store of one member.
func BenchmarkPut(b *testing.B) {
	for _, disk := range []struct{ name, text string }{{"ordinary", oneMember}, {"impairable", oneImpairable}} {
		for _, writers := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/%d", disk.name, writers), func(b *testing.B) {
				s := upStore(b, disk.text)
				b.SetParallelism(writers)
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := s.put(0, "/k", "0123456789abcdef", patient); err != nil {
							b.Error(err)
							return
						}
					}
				})
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "puts/s")
			})
		}
	}
}

func TestWithoutFUSEAnImpairableDiskIsAnOrdinaryOneAndSaysWhy(t *testing.T) {
	sandbox.Require(t, sandbox.CapNetNS, sandbox.CapFUSE)
	const device = "/dev/fuse"
	// On a mount without devices the kernel refuses to open one. Only this sandbox
	// sees it.
	for _, flags := range []uintptr{unix.MS_BIND, unix.MS_BIND | unix.MS_REMOUNT | unix.MS_NODEV} {
		if err := unix.Mount(device, device, "", flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if err := unix.Unmount(device, 0); err != nil {
			t.Error(err)
		}
	})
	s := upStore(t, oneImpairable)
	s.mustPut("without FUSE", 0, "/k", "v")
	_, err := s.lab.Inject(t.Context(), fault.EtcdSlowDisk{On: "bj/az1/etcd-e1", Delay: time.Second})
	var un *fault.Unavailable
	if !errors.As(err, &un) || !un.Machine || !strings.Contains(err.Error(), "no FUSE") || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("got %v, want *Unavailable of the machine with the kernel's reason", err)
	}
	a := s.inject(fault.ExhaustDisk{On: "bj/az1/etcd-e1"}) // needs none
	s.heal(a)
}
