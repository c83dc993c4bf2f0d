//go:build netns

package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/proc"
)

// A run of it is short, or ends when a step is late.
const storyShort = `
objects: {services: {blog: {host: blog.example, targets: "idc/bj/*", later: true}}}
steps:
  - {publish: blog, within: 1s}
  - {inject: {stop: {on: bj/az1/l7-1, process: gateway}}, within: 1s}
checks: [no-request-lost, nothing-left]
`

// beGateway plays a gateway that is no good, by the name of its program. It returns
// when the name is none.
func beGateway() {
	switch filepath.Base(os.Args[0]) {
	case "exits":
		fmt.Fprintln(os.Stderr, "listen tcp 10.101.4.3:80: bind: address already in use")
		os.Exit(7)
	case "mute": // ready, and answers nothing
		sayReady()
		select {}
	case "garbage":
		go answerGarbage(":80")
		answerGarbage(":9094")
	case "deaf": // does not end when it is asked to
		signal.Ignore(unix.SIGTERM)
		sayReady()
		select {}
	case "floods":
		sayReady()
		line := append(bytes.Repeat([]byte("flood "), 10_000), '\n')
		for {
			if _, err := os.Stderr.Write(line); err != nil {
				os.Exit(1)
			}
		}
	}
}

func sayReady() {
	c, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
	if err == nil {
		_, err = c.Write([]byte("READY=1"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// answerGarbage answers every connection with what is no HTTP, for ever.
func answerGarbage(at string) {
	l, err := net.Listen("tcp4", at)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if at != ":80" {
		sayReady()
	}
	for {
		c, err := l.Accept()
		if err != nil {
			os.Exit(1)
		}
		go func() {
			for {
				if _, err := c.Write([]byte("\x00\xffHTTP/9 garbage\r\n")); err != nil {
					_ = c.Close()
					return
				}
			}
		}()
	}
}

// A gateway that is no good makes a run wrong, in bounded time and with evidence: it
// is not lbsim that failed.
func TestGatewayThatIsNoGoodMakesTheRunWrong(t *testing.T) {
	for part, want := range map[string]string{
		"exits":   "did not become ready: it ended: exit code 7; its last lines:\nlisten tcp 10.101.4.3:80: bind: address already in use",
		"mute":    "publish: blog: ",
		"garbage": "publish: blog: ",
		"deaf":    "publish: blog: ",
		"floods":  "publish: blog: ",
	} {
		t.Run(part, func(t *testing.T) {
			r := bench(t)
			run := r.tell(t, storyShort, "--gateway-binary", play(t, part))
			run.ends(t, 1)
			t.Logf("ended after %s", run.took)
			if said := run.said(); !strings.Contains(said, want) {
				t.Errorf("it does not say %q:\n%s", want, said)
			}
			dir := r.newRun()
			if _, _, err := r.lbsim(1, "judge", dir); err != nil {
				t.Error(err)
			}
			st, err := os.Stat(filepath.Join(dir, "logs/bj/az1/l7-1/gateway.log"))
			if err != nil {
				t.Fatal(err)
			}
			if t.Logf("it logged %d bytes", st.Size()); st.Size() > proc.DefaultMaxLog {
				t.Errorf("its log has %d bytes", st.Size())
			}
		})
	}
}

// The fault waits for the end of the process as long as its step may take.
func TestGatewayThatIgnoresSIGTERMIsTakenDownAllTheSame(t *testing.T) {
	r := bench(t)
	story := strings.Replace(storyShort, "  - {publish: blog, within: 1s}\n", "", 1)
	run := r.tell(t, story, "--gateway-binary", play(t, "deaf"))
	run.ends(t, 1)
	t.Logf("ended after %s", run.took)
	if said := run.said(); !strings.Contains(said, "not within 1s") {
		t.Errorf("it does not say that the stop was late:\n%s", said)
	}
	if run.took > time.Minute {
		t.Errorf("it took %s", run.took)
	}
}

// What is wrong with the question leaves no directory of a run.
func TestWrongQuestionLeavesNoRun(t *testing.T) {
	r := bench(t)
	bad := filepath.Join(r.out(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("scenario: bad\ntopology: hallo\nsteps: [{frob: 1}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.lbsim(0, r.args(verbUp)...); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{bad}, {filepath.Join(r.out(), "none.yaml")}, {"none"}, {r.scenario(), "--gateway", "none"}, {r.scenario(), "--gateway-binary", "/none"},
		{r.scenario(), "--bin", r.tmp()}, {r.scenario(), "--name", "No Name"}, {r.scenario(), "--name", labName}, {r.scenario(), "--set", "regions.none=1"},
	} {
		if _, _, err := r.lbsim(3, append([]string{"run", "--runs", r.runsDir()}, args...)...); err != nil {
			t.Error(err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(r.runsDir(), "*")); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}
