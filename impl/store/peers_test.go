package store

import (
	"context"
	"fmt"
	"testing"
	"time"

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
	for _, m := range s.peers.each { // each has its connection before the test goes on
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
	s.peers.passedOver = time.Hour
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
	s.peers.firstAnswer, s.peers.passedOver = 100*time.Millisecond, 50*time.Millisecond
	links[0].Freeze()
	for !s.peers.each[0].mute.Load() {
		if _, _, _, err := s.Get(t.Context(), "/a"); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		if m := s.peers.forWrite(); m == s.peers.each[0] {
			t.Fatal("a write is put to a member that has not answered")
		}
	}
	links[0].Heal()
	for deadline := time.Now().Add(20 * time.Second); s.peers.each[0].mute.Load(); {
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
	down := s.peers.each[1]
	down.c.ActiveConnection().WaitForStateChange(t.Context(), connectivity.Ready)
	for i := range 30 {
		if m := s.peers.forRead(); m == down || m == s.peers.all {
			t.Fatalf("question %d goes to a member that is down, or to all", i)
		}
		write(t, s, fmt.Sprint("/a/", i))
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
	for i, m := range s.peers.each {
		if m.mute.Load() {
			t.Errorf("member %d is passed over because a caller gave up", i)
		}
	}
}
