package store

import (
	"errors"
	"net"
	"net/url"
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/store/etcdtest"
)

// Watches ask their member every second. Nobody does so for other calls, nor for who waits
// to lead: for them a half-open connection is found by keepalive alone. gRPC then pings,
// every ten seconds at most, and tells the kernel how long data may stay unacknowledged,
// which can be seen at once.
func TestConnectionsThatNobodyAcknowledgesAreGivenUp(t *testing.T) {
	etcd := etcdtest.Start(t)
	at, err := url.Parse(etcd.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(Options{Endpoints: []string{etcd.Endpoint()}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	other, err := Dial(Options{Endpoints: []string{etcd.Endpoint()}})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, _, _, err := s.Get(t.Context(), "/a"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.members.each[0].c.Get(t.Context(), "/a"); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Get(t.Context(), "/a"); err != nil {
		t.Fatal(err)
	}
	found := connectionsTo(t, at.Host)
	if len(found) < 3 {
		t.Fatalf("%d connections to %s, want those of three clients", len(found), at.Host)
	}
	for _, fd := range found {
		got, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
		if want := int(keepaliveTimeout.Milliseconds()); err != nil || got != want {
			t.Errorf("data may stay unacknowledged for %d ms (%v), want %d", got, err, want)
		}
	}
}

// connectionsTo are the descriptors of this process's connections to an address.
func connectionsTo(t *testing.T, address string) (fds []int) {
	t.Helper()
	to, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range open {
		fd, err := strconv.Atoi(f.Name())
		if err != nil {
			t.Fatal(errors.Join(errors.New("a descriptor without a number"), err))
		}
		peer, err := unix.Getpeername(fd)
		if p, ok := peer.(*unix.SockaddrInet4); err == nil && ok && p.Port == to.Port && net.IP(p.Addr[:]).Equal(to.IP) {
			fds = append(fds, fd)
		}
	}
	return fds
}
