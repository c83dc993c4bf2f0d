package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/connectivity"

	"github.com/unilb/unilb/impl/store/etcdtest"
)

// threePaths is a Store that takes three links to one etcd for three members.
func threePaths(t *testing.T) (*Store, []*etcdtest.Link) {
	t.Helper()
	addr := etcdtest.Start(t).Addr()
	var links []*etcdtest.Link
	var endpoints []string
	for range 3 {
		l := etcdtest.NewLink(t, addr)
		links, endpoints = append(links, l), append(endpoints, l.Endpoint())
	}
	s, err := Open(Options{Endpoints: endpoints})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for _, m := range s.members.each { // each has its connection before the test goes on
		conn := m.c.ActiveConnection()
		for state := conn.GetState(); state != connectivity.Ready; state = conn.GetState() {
			conn.Connect()
			conn.WaitForStateChange(t.Context(), state)
		}
	}
	return s, links
}

func TestMemberThatDoesNotAnswerIsPassedOver(t *testing.T) {
	t.Parallel()
	s, links := threePaths(t)
	write(t, s, "/before")
	s.members.passedOver = time.Hour
	links[0].Freeze()
	began := time.Now()
	for i := range 30 {
		if _, _, _, err := s.Get(t.Context(), "/before"); err != nil {
			t.Fatal(err)
		}
		write(t, s, fmt.Sprint("/during/", i)) // fails where its outcome stays unknown
	}
	// One read has waited for a second, and what is frozen is not asked again. Without
	// that each third call waits for three seconds, or five.
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("30 reads and 30 writes took %s while one of three members did not answer", took)
	}
}

func TestMemberThatAnswersAgainIsAskedAgain(t *testing.T) {
	t.Parallel()
	s, links := threePaths(t)
	s.members.firstAnswer, s.members.passedOver = 100*time.Millisecond, 50*time.Millisecond
	links[0].Freeze()
	for !s.members.each[0].mute() {
		if _, _, _, err := s.Get(t.Context(), "/a"); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		if m := s.members.forWrite(); m == s.members.each[0] {
			t.Fatal("a write is put to a member that has not answered")
		}
	}
	links[0].Heal()
	for deadline := time.Now().Add(20 * time.Second); s.members.each[0].mute(); {
		if _, _, _, err := s.Get(t.Context(), "/a"); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatal("a member that answers again is not asked any more")
		}
	}
	before := links[0].Sent()
	for range 9 {
		if _, _, _, err := s.Get(t.Context(), "/a"); err != nil {
			t.Fatal(err)
		}
	}
	if links[0].Sent() == before {
		t.Error("nothing goes to a member that answers again")
	}
}

// What is down is found out by its connection, and costs nobody a try.
func TestMemberThatIsDownIsNotAsked(t *testing.T) {
	t.Parallel()
	s, links := threePaths(t)
	links[1].Cut()
	down := s.members.each[1]
	down.c.ActiveConnection().WaitForStateChange(t.Context(), connectivity.Ready)
	for i := range 30 {
		if m := s.members.forRead(); m == down || m == s.members.all {
			t.Fatalf("question %d goes to a member that is down, or to all", i)
		}
		write(t, s, fmt.Sprint("/a/", i))
	}
}

// The last attempt of a call has what is left of its time, which may be nothing.
func TestAttemptWithoutTimeSaysNothingOfAMember(t *testing.T) {
	t.Parallel()
	s, _ := threePaths(t)
	s.patience = time.Hour
	for n := range 3 {
		err := s.askOne(t.Context(), time.Now().Add(-s.patience), n, readKey, func(ctx context.Context, c *clientv3.Client) error {
			_, err := c.Get(ctx, "/a")
			return err
		})
		if err == nil {
			t.Fatal("an attempt without time has ended well")
		}
	}
	for i, m := range s.members.each {
		if m.mute() {
			t.Errorf("member %d is passed over, which had no time to answer", i)
		}
	}
}

func TestCallerWhoGivesUpSaysNothingOfAMember(t *testing.T) {
	t.Parallel()
	s, links := threePaths(t)
	for _, l := range links {
		l.Freeze()
	}
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if _, _, _, err := s.Get(ctx, "/a"); err == nil {
		t.Fatal("a frozen member has answered")
	}
	for i, m := range s.members.each {
		if m.mute() {
			t.Errorf("member %d is passed over because a caller gave up", i)
		}
	}
}

// A page of a directory may take longer than a key, of a member that is well.
func TestPageMayTakeItsTime(t *testing.T) {
	t.Parallel()
	s, _ := threePaths(t)
	s.members.firstAnswer = time.Millisecond
	for k, late := range map[kind]bool{readKey: true, readPage: false, readPast: false} {
		err := s.askOne(t.Context(), time.Now(), 0, k, func(ctx context.Context, _ *clientv3.Client) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(50 * time.Millisecond):
				return nil
			}
		})
		if (err != nil) != late {
			t.Errorf("%s of 50 ms: got %v, want it late: %t", k, err, late)
		}
	}
}
