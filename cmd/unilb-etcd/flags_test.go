package main

import (
	"strings"
	"testing"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/unilb/unilb/impl/daemon"
)

func TestFlagsBecomeConfiguration(t *testing.T) {
	o, err := parse(strings.Fields("--name n1 --data-dir /d --listen-client http://10.0.0.1:2379 --listen-peer http://10.0.0.1:2380 " +
		"--initial-cluster n1=http://10.0.0.1:2380,n2=http://10.0.0.2:2380 --new-cluster=false --heartbeat-interval 50ms --election-timeout 500ms"))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := o.config()
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Name != "n1" || cfg.AdvertiseClientUrls[0].String() != "http://10.0.0.1:2379" || cfg.AdvertisePeerUrls[0].String() != "http://10.0.0.1:2380" ||
		cfg.ClusterState != embed.ClusterStateFlagExisting || cfg.TickMs != 50 || cfg.ElectionMs != 500 ||
		cfg.QuotaBackendBytes != 4<<30 || cfg.AutoCompactionRetention != "1h0m0s" {
		t.Errorf("got %+v", cfg)
	}
}

func TestMemberAloneIsItsOwnCluster(t *testing.T) {
	o, err := parse([]string{"--name", "n1", "--data-dir", "/d"})
	if err != nil {
		t.Fatal(err)
	}
	if cfg, err := o.config(); err != nil || cfg.InitialCluster != "n1=http://127.0.0.1:2380" || cfg.ClusterState != embed.ClusterStateFlagNew {
		t.Errorf("got %+v, %v", cfg, err)
	}
}

func TestEachSideHasFilesOfItsOwn(t *testing.T) {
	o, err := parse(strings.Fields("--name n1 --data-dir /d --listen-client https://10.0.0.1:2379 --cert c --key k --ca a --listen-peer https://10.0.0.1:2380 --peer-cert pc --peer-key pk"))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := o.config()
	if err != nil {
		t.Fatal(err)
	}
	if c := cfg.ClientTLSInfo; c.CertFile != "c" || c.KeyFile != "k" || c.TrustedCAFile != "a" || !c.ClientCertAuth {
		t.Errorf("towards clients: got %+v", c)
	}
	if p := cfg.PeerTLSInfo; p.CertFile != "pc" || p.KeyFile != "pk" || p.ClientCertAuth {
		t.Errorf("towards members: got %+v", p)
	}
}

func TestBadFlagsExitWithThree(t *testing.T) {
	for _, args := range []string{
		"", "--name n1", "--data-dir /d", "--name n1 --data-dir /d extra", "--name n1 --data-dir /d --listen-client 10.0.0.1:2379",
		"--name n1 --data-dir /d --listen-peer http://10.0.0.1", "--name n1 --data-dir /d --heartbeat-interval 1s --election-timeout 1s",
		"--name n1 --data-dir /d --log-level loud",
		"--name n1 --data-dir /d --listen-client https://10.0.0.1:2379", "--name n1 --data-dir /d --cert c --key k",
		"--name n1 --data-dir /d --listen-client https://10.0.0.1:2379 --cert c", "--name n1 --data-dir /d --peer-ca c",
	} {
		if code := run(strings.Fields(args)); code != daemon.ExitBadFlags {
			t.Errorf("%q: exit %d, want %d", args, code, daemon.ExitBadFlags)
		}
	}
}
