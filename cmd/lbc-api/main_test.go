package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/daemon"
	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store/etcdtest"
)

func environment(name string) string {
	return map[string]string{"UNILB_ADMIN_KEY": "a", "UNILB_API_KEY": "b"}[name]
}

func TestBadFlagsAreNamed(t *testing.T) {
	for _, c := range []struct {
		name, args, want string
		env              func(string) string
	}{
		{"no node", "", "--node", environment},
		{"argument", "--node x y", `"y"`, environment},
		{"no keys", "--node x", "UNILB_API_KEY", func(string) string { return "" }},
		{"no admin key", "--node x", "UNILB_ADMIN_KEY", func(n string) string { return strings.TrimPrefix(n, "UNILB_ADMIN_KEY") }},
		{"pool", "--node x --unique-pool 100.64.0.1/10", "--unique-pool", environment},
		{"pool text", "--node x --unique-pool all", "--unique-pool", environment},
		{"VIP", "--node x --admin-vip 10.0.0.1", "--admin-vip", environment},
		{"EIP range", "--node x --eip-range 203.0.113.1/24", "-eip-range", environment},
		{"EIP range in a list", "--node x --eip-range 203.0.113.0/24,all", "-eip-range", environment},
		{"protected network", "--node x --protect 2001:db8::/32", "-protect", environment},
		{"URL", "--node x --admin-url 10.0.0.1:9180", "--admin-url", environment},
		{"drain", "--node x --drain 0s", "--drain", environment},
		{"listen", "--node x --listen 9095", "--listen", environment},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := parse(strings.Fields(c.args), c.env); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want a complaint about %s", err, c.want)
			}
			if got := run(strings.Fields(c.args), c.env); got != daemon.ExitBadFlags {
				t.Errorf("got exit code %d, want %d", got, daemon.ExitBadFlags)
			}
		})
	}
	if _, err := parse(strings.Fields("--node x --admin-vip 10.0.0.1:9180 --drain 2s --quarantine 5s --mapping-wait 1s"), environment); err != nil {
		t.Errorf("good flags: %v", err)
	}
	o, err := parse(strings.Fields("--node x --eip-range 203.0.113.0/24,198.51.100.0/24 --eip-range 192.0.2.0/24 --protect 10.0.0.0/8"), environment)
	if err != nil || fmt.Sprint(o.eipRanges, o.protect) != "[203.0.113.0/24 198.51.100.0/24 192.0.2.0/24] [10.0.0.0/8]" {
		t.Errorf("networks: got %+v, %v", o, err)
	}
}

// TestReadyWhenEtcdAnswersAndVIPIsWritten runs the command as a supervisor does.
func TestReadyWhenEtcdAnswersAndVIPIsWritten(t *testing.T) {
	// The logger of gRPC is a global of the process, which etcd is part of here:
	// it must be set before.
	if _, err := obs.Logger(io.Discard, "info"); err != nil {
		t.Fatal(err)
	}
	etcd := etcdtest.Start(t)
	socket := filepath.Join(t.TempDir(), "notify")
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer notify.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen := free.Addr().String()
	_ = free.Close()
	code := make(chan int, 1)
	go func() {
		code <- run([]string{"--node", "test", "--etcd", etcd.Endpoint(), "--listen", listen, "--admin-vip", "10.0.0.5:9180"}, environment)
	}()
	_ = notify.SetReadDeadline(time.Now().Add(20 * time.Second))
	b := make([]byte, 256)
	n, err := notify.Read(b)
	if err != nil || string(b[:n]) != "READY=1" {
		t.Fatalf("got %q, %v, want READY=1", b[:n], err)
	}
	req, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+listen+"/healthz", nil)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("healthz: got %d", resp.StatusCode)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-code:
		if got != 0 {
			t.Errorf("got exit code %d after SIGTERM, want 0", got)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("still running 20 s after SIGTERM")
	}
}
