package main

import (
	"io"
	"strings"
	"testing"
	"time"
)

const complete = "--node bj/az1/l4-1 --zone az1 --region bj --etcd http://10.0.0.1:2379,http://10.0.0.2:2379 --underlay 10.101.253.1"

func TestFlagsBecomeARegistration(t *testing.T) {
	c, err := parse(strings.Fields(complete+" --status-listen 127.0.0.1:7000 --probe-interval 1s"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	r := c.registration()
	if r.Name != "bj/az1/l4-1" || r.Kind != "l4lb" || r.Zone != "az1" || r.Region != "bj" ||
		r.Status != "http://10.101.253.1:7000" || len(r.Watches) != 1 || r.Watches[0] != "/unilb/l4" || r.Member.IsValid() {
		t.Errorf("registration: %+v", r)
	}
	if len(c.etcd) != 2 || c.probeInterval != time.Second || c.drainTimeout != 2*time.Second || c.probeMisses != 3 {
		t.Errorf("config: %+v", c)
	}
}

func TestBadFlagsAreRefusedByName(t *testing.T) {
	for _, c := range []struct{ more, want string }{
		{"--etcd 10.0.0.1:2379", "--etcd"},
		{"--etcd http://10.0.0.1:2379,", "--etcd"},
		{"--underlay l4-1", "--underlay"},
		{"--underlay 2001:db8::1", "--underlay"},
		{"--status-listen 9094", "--status-listen"},
		{"--status-listen :0", "--status-listen"},
		{"--node /x", "--node"},
		{"--uplink=", "--uplink"},
		{"--pin-dir=", "--pin-dir"},
		{"--probe-interval 0s", "--probe-interval"},
		{"--probe-timeout -1s", "--probe-timeout"},
		{"--probe-misses 0", "--probe-misses"},
		{"--drain-timeout -1s", "--drain-timeout"},
		{"--connections 4294967296", "--connections"},
		{"more", "unexpected argument"},
		{"--no-such-flag", "no-such-flag"},
	} {
		_, err := parse(strings.Fields(complete+" "+c.more), io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error that names %s", c.more, err, c.want)
		}
	}
}
