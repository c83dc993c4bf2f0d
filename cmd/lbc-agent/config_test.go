package main

import (
	"io"
	"strings"
	"testing"
)

func TestCommandLine(t *testing.T) {
	good := "--role gateway --node bj/az1/l7-1 --zone az1 --region bj --etcd http://10.0.0.1:2379,http://10.0.0.2:2379 " +
		"--pool l7gw --underlay 10.1.0.3 --member-address 100.127.0.1 --uplink eth0 --status-listen :9093 --pin-dir /sys/fs/bpf/x"
	for _, c := range []struct{ name, args, want string }{
		{"everything", good, ""},
		{"a host", "--role=host --node bj/az1/host-1 --etcd http://10.0.0.1:2379 --underlay 10.1.0.9", ""},
		{"clean-up needs no etcd", "--cleanup --role host --node h --underlay 10.1.0.9", ""},
		{"no etcd", "--role host --node h --underlay 10.1.0.9", "--etcd"},
		{"no role", "--node h", "--role"},
		{"an address that is none", strings.Replace(good, "10.1.0.3", "ten", 1), "--underlay"},
		{"a listener without a port", strings.Replace(good, ":9093", "9093", 1), "--status-listen"},
		{"a name that is no path", strings.Replace(good, "bj/az1/l7-1", "bj//l7", 1), "name"},
		{"something else", good + " more", "unexpected argument"},
	} {
		_, err := parse(strings.Fields(c.args), io.Discard)
		if (err == nil) != (c.want == "") || err != nil && !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want it about %q", c.name, err, c.want)
		}
	}
	c, err := parse(strings.Fields(good), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.statusURL; got != "http://10.1.0.3:9093" || len(c.etcd) != 2 {
		t.Errorf("got status %s and etcd %v", got, c.etcd)
	}
}
