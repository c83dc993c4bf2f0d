package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/store/etcdtest"
)

func freeAddr(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func TestSIGUSR1OpensTheAccessLogAnewAndEndsNothing(t *testing.T) {
	path, at := filepath.Join(t.TempDir(), "access"), freeAddr(t)
	o, err := parse([]string{"--node", "a", "--etcd", etcdtest.Start(t).Endpoint(), "--listen", at, "--status-listen", freeAddr(t),
		"--drain-delay", "0s", "--access-log", path, "--engine", "loop"}, none)
	if err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan struct{}), make(chan error, 1)
	o.ready = func() { close(ready) }
	ctx, end := context.WithCancel(context.Background())
	go func() { ended <- serve(ctx, context.Background(), o, slog.New(slog.DiscardHandler)) }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatalf("ended early: %v", err)
	}
	ask := func(uri string) {
		resp, err := http.Get("http://" + at + uri)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	ask("/before")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; <-time.After(time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no new file within 20 s")
		}
	}
	ask("/after")
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for file, uri := range map[string]string{path + ".1": "/before", path: "/after"} {
		if b, err := os.ReadFile(file); err != nil || strings.Count(string(b), "\n") != 1 || !strings.Contains(string(b), `"uri":"`+uri+`"`) {
			t.Errorf("%s holds %q, %v, want a line about %s", file, b, err, uri)
		}
	}
}
