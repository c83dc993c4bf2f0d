package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/connectivity"
)

// mutes are the numbers of the members that are mute.
func mutes(s *Store) string {
	found := []int{}
	for i, m := range s.members.each {
		if m.mute() {
			found = append(found, i)
		}
	}
	return fmt.Sprint(found)
}

// A following is a watch of /d, which was known already: nothing but its stream asks a
// member before that has begun.
type following struct {
	t       *testing.T
	s       *Store
	w       *watch
	batches chan Batch
	ended   chan error
}

func known(t *testing.T, s *Store) *following {
	t.Helper()
	kvs, h, err := s.list(t.Context(), "/d")
	if err != nil {
		t.Fatal(err)
	}
	f := &following{t: t, s: s, batches: make(chan Batch, 100), ended: make(chan error, 1)}
	f.w = &watch{s: s, prefix: "/d", apply: func(b Batch) { f.batches <- b }, at: h, handed: newVersions()}
	f.w.handed.replace(kvs)
	return f
}

func (f *following) begin() {
	ctx, cancel := context.WithCancel(f.t.Context())
	go func() {
		_, err := f.w.run(ctx)
		f.ended <- err
		close(f.ended)
	}()
	f.t.Cleanup(func() {
		cancel()
		for range f.ended {
		}
	})
}

// hears waits for a change of the directory.
func (f *following) hears() {
	f.t.Helper()
	write(f.t, f.s, "/d/x")
	select {
	case <-f.batches:
	case err := <-f.ended:
		f.t.Fatalf("the watch ended: %v", err)
	case <-time.After(30 * time.Second):
		f.t.Fatal("the watch has not told of a change")
	}
}

// end waits for the watch to end.
func (f *following) end() error {
	f.t.Helper()
	select {
	case err := <-f.ended:
		return err
	case <-time.After(30 * time.Second):
		f.t.Fatal("the watch goes on")
		return nil
	}
}

func TestMemberThatBeginsNoWatchIsNotAskedEither(t *testing.T) {
	t.Parallel()
	s, links := threePaths(t)
	s.members.passedOver, s.beginning, s.streams.turn = time.Hour, 200*time.Millisecond, 1
	f := known(t, s)
	links[1].Freeze()
	f.begin()
	if err := f.end(); !errors.Is(err, errSilent) || mutes(s) != "[1]" {
		t.Fatalf("got %v, and %s are mute, want %v of member 1", err, mutes(s), errSilent)
	}
	for range 9 {
		if m := s.members.forRead(); m == s.members.each[1] || m == s.members.all {
			t.Error("a read goes to a member that begins no watch, or to all")
		}
	}
}

func TestMemberWhoseWatchStallsIsNotAskedEither(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes as long as a watch waits for an answer")
	}
	s, links := threePaths(t)
	s.members.passedOver, s.streams.turn = time.Hour, 1
	f := known(t, s)
	f.begin()
	f.hears()
	links[1].Freeze()
	began := time.Now()
	if err := f.end(); !errors.Is(err, errSilent) || mutes(s) != "[1]" {
		t.Errorf("after %s: got %v, and %s are mute, want %v of member 1", time.Since(began), err, mutes(s), errSilent)
	}
	if m := s.members.forWatch(s.streams.turn); m != s.members.each[2] {
		t.Errorf("then it is the turn of member %d, want 2", slices.Index(s.members.each, m))
	}
}

func TestWatchBeginsAtNoMemberThatReadsHaveFoundMute(t *testing.T) {
	t.Parallel()
	s, links := threePaths(t)
	s.members.firstAnswer, s.members.passedOver, s.streams.turn = 100*time.Millisecond, time.Hour, 0
	f := known(t, s)
	links[0].Freeze()
	for !s.members.each[0].mute() {
		if _, _, _, err := s.Get(t.Context(), "/a"); err != nil {
			t.Fatal(err)
		}
	}
	f.begin() // at the first try: there is one
	f.hears()
}

func TestWatchesAreOfSoundMembersFirstAndThenOfAny(t *testing.T) {
	t.Parallel()
	s, links := threePaths(t)
	turns := func() string {
		var found []int
		for turn := range 4 {
			found = append(found, slices.Index(s.members.each, s.members.forWatch(turn)))
		}
		return fmt.Sprint(found)
	}
	for _, tc := range []struct {
		mute []int
		want string
	}{
		{mute: nil, want: "[0 1 2 0]"},
		{mute: []int{1}, want: "[0 2 2 0]"},
		{mute: []int{0, 1}, want: "[2 2 2 2]"},
		{mute: []int{0, 1, 2}, want: "[0 1 2 0]"},
	} {
		for i, m := range s.members.each {
			m.again.Store(0)
			if slices.Contains(tc.mute, i) {
				s.members.silent(m)
			}
		}
		if got := turns(); got != tc.want {
			t.Errorf("with %v mute watches are of %s by turn, want %s", tc.mute, got, tc.want)
		}
	}
	// All are mute still. Those that can be connected to come first.
	for i, want := range []string{"[1 1 2 1]", "[2 2 2 2]", "[0 1 2 0]"} {
		links[i].Cut()
		conn := s.members.each[i].c.ActiveConnection()
		for state := conn.GetState(); state != connectivity.TransientFailure; state = conn.GetState() {
			conn.WaitForStateChange(t.Context(), state)
		}
		if got := turns(); got != want {
			t.Errorf("with the first %d down watches are of %s by turn, want %s", i+1, got, want)
		}
	}
}

// Only that nothing comes says that a member is mute, and only while it is watched.
func TestWhatEndsAWatchOtherwiseSaysNothingOfItsMember(t *testing.T) {
	t.Parallel()
	s, _ := threePaths(t)
	for _, err := range []error{
		nil, context.Canceled, ErrCompacted, errReplaced, errStrange, errLagging, errStarved, errClosed, errLeft,
		rpctypes.ErrPermissionDenied, rpctypes.ErrNoLeader, &UnavailableError{Op: "get", Err: context.DeadlineExceeded},
	} {
		if s.leave(s.join(), err); mutes(s) != "[]" {
			t.Fatalf("%v: %s are mute", err, mutes(s))
		}
	}
	st := s.join()
	s.join()
	s.leave(st, errLagging)
	if s.leave(st, errSilent); mutes(s) != "[]" {
		t.Errorf("of a stream that was left already: %s are mute", mutes(s))
	}
	st = s.join()
	if s.leave(st, errSilent); !st.m.mute() {
		t.Error("a silent member is not mute")
	}
}

func TestMemberThatBeginsAWatchIsTriedByTheNextRead(t *testing.T) {
	t.Parallel()
	s, _ := threePaths(t)
	s.members.passedOver, s.streams.turn = time.Hour, 1
	for _, m := range s.members.each {
		s.members.silent(m)
	}
	m := s.members.each[1]
	s.members.lives(m)
	first, second := s.members.forRead(), s.members.forRead()
	if !m.mute() || first != m || second != s.members.all {
		t.Errorf("mute: %t, and asked are %d and %d, want once member 1, and then all", m.mute(),
			slices.Index(s.members.each, first), slices.Index(s.members.each, second))
	}
	f := known(t, s)
	f.begin() // reads before it tells of anything
	if f.hears(); mutes(s) != "[0 2]" {
		t.Errorf("%s are mute, want 0 and 2", mutes(s))
	}
}

// The client of all members chooses the member of a watch itself.
func TestPastIsAskedOfOneMember(t *testing.T) {
	t.Parallel()
	s, _ := threePaths(t)
	after := write(t, s, "/a")
	upTo := write(t, s, "/a")
	for _, m := range s.members.each {
		s.members.silent(m)
	}
	ofAll := 0
	for range 6 {
		if err := s.askOne(t.Context(), time.Now(), 0, readPast, func(ctx context.Context, c *clientv3.Client) error {
			if c == s.members.all.c {
				ofAll++
			}
			return since(ctx, c, after, upTo, func(KV) {})
		}); err != nil {
			t.Fatal(err)
		}
	}
	if ofAll > 0 || mutes(s) == "[0 1 2]" {
		t.Errorf("%d of 6 looks at the past were of all members, and %s are mute still", ofAll, mutes(s))
	}
}
