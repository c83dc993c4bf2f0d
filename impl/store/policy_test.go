package store_test

import (
	"testing"
	"time"

	"github.com/unilb/unilb/impl/store/etcdtest"
)

// An etcd member ends connections that ping without a stream ("too many pings"),
// and whatever is under way on them is lost. gRPC pings no more often than every
// ten seconds.
func TestIdleConnectionIsSilent(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes as long as the interval of pings")
	}
	const longerThanInterval = 12 * time.Second
	link := etcdtest.NewLink(t, etcdtest.Start(t).Addr())
	s := open(t, link.Endpoint())
	if _, _, _, err := s.Get(t.Context(), "/a"); err != nil {
		t.Fatal(err)
	}
	// What follows the answer by itself (acknowledgements) is over within the
	// first seconds; a ping could not come as early.
	<-time.After(2 * time.Second)
	before := link.Sent()
	<-time.After(longerThanInterval)
	if now := link.Sent(); now != before {
		t.Errorf("an idle client sent %d bytes", now-before)
	}
}
