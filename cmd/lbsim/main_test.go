package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// played are the programs that this test binary plays by the name it was started
// with: lbsim, and the binaries of a lab.
var played = []string{"lbsim", "unilb-etcd", "l7admin", "l7gw"}

func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "lbsim":
		main()
	case "unilb-etcd":
		beProcess(os.Getenv("PATH"))
	case "l7admin", "l7gw":
		beProcess("")
	}
	runTests(m)
}

// beProcess tells that it is ready, except as a store whose PATH says that it is
// to be slow; and leaves a daemon behind as real programs do. It logs one line as
// our programs do, and one as others do.
func beProcess(path string) {
	if strings.Contains(path, "/slow") {
		_ = exec.Command("sleep", "1000").Start()
		select {}
	}
	fmt.Fprintf(os.Stderr, "{\"time\":%q,\"level\":\"INFO\",\"msg\":\"serving\"}\nplain text\n", time.Now().Format(time.RFC3339Nano))
	c, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
	if err == nil {
		_, err = c.Write([]byte("READY=1"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	select {}
}

// playAll puts the programs into a directory.
func playAll(dir string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for _, name := range played {
		if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}
