package supervisor

import (
	"encoding/json"
	"io"
	"net"
	"os"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// pair is a connected pair of sockets.
func pair(t *testing.T) (client, server *net.UnixConn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var conns [2]*net.UnixConn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "pair")
		c, err := net.FileConn(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		conns[i] = c.(*net.UnixConn)
	}
	return conns[0], conns[1]
}

func TestRequestsCarryFiles(t *testing.T) {
	client, server := pair(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	want := request{Verb: verbExec, Node: "client/inet-1", Path: "/bin/sh", Args: []string{"-c", strings.Repeat("x", 200<<10)}}
	sent := make(chan error, 1)
	go func() {
		sent <- sendRequest(client, want, w, w, w)
		w.Close()
		_ = json.NewEncoder(client).Encode(message{Signal: 2})
	}()
	got, files, rest, err := readRequest(server)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the request of %d bytes changed on the way", len(want.Args[1]))
	}
	if len(files) != 3 {
		t.Fatalf("%d files arrived, want 3", len(files))
	}
	if _, err := files[2].WriteString("through the file"); err != nil {
		t.Fatal(err)
	}
	closeAll(files)
	if b, err := io.ReadAll(r); err != nil || string(b) != "through the file" {
		t.Errorf("read %q, %v", b, err)
	}
	var m message
	if err := json.NewDecoder(io.MultiReader(strings.NewReader(string(rest)), server)).Decode(&m); err != nil || m.Signal != 2 {
		t.Errorf("what follows the request: %+v, %v", m, err)
	}
}

func TestBrokenRequestsAreRefused(t *testing.T) {
	for name, send := range map[string]string{"nothing": "", "no end": `{"verb":"down"}`, "no JSON": "down\n"} {
		client, server := pair(t)
		if _, err := client.Write([]byte(send)); err != nil {
			t.Fatal(err)
		}
		client.Close()
		if r, _, _, err := readRequest(server); err == nil {
			t.Errorf("%s was read as %+v", name, r)
		}
	}
}
