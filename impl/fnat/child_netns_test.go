//go:build netns

package fnat

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/vpc"
	"github.com/unilb/unilb/sim/netns"
)

// childVar makes the test binary open the gateway whose pins it names, put one
// more mapping, say so, and then hold everything until it is killed.
const childVar = "FNAT_TEST_CHILD"

func runChild() int {
	l, err := netlink.LinkByName("fnat0")
	if err != nil {
		return complain(err)
	}
	g, err := OpenGateway(GatewayOptions{
		Interface: Interface{Name: "fnat0", Index: l.Attrs().Index}, Member: member, VTEP: vtepGW, PinDir: os.Getenv(childVar),
	})
	if err != nil {
		return complain(err)
	}
	if err := g.Attach(); err != nil {
		return complain(err)
	}
	err = g.Put(vpc.Mapping{
		UniqueIP: netip.MustParseAddr("100.64.0.99"), VNI: 10, VPCIP: netip.MustParseAddr("192.168.1.12"),
		MAC: vpc.MAC{2, 0, 10, 0, 1, 12}, VTEP: vtepH1, Generation: 1,
	})
	if err != nil {
		return complain(err)
	}
	fmt.Println("ready")
	select {}
}

func complain(err error) int {
	fmt.Println(err)
	return 1
}

// startChild starts the test binary inside a node and waits until it is ready.
func startChild(t *testing.T, thread *netns.Thread, n *testNode, pins string) *exec.Cmd {
	t.Helper()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childVar+"="+pins)
	cmd.Stdout, cmd.Stderr = in, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	err = thread.Do(n.ns, cmd.Start)
	in.Close()
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if line != "ready\n" {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		t.Fatalf("child said %q (%v), want ready", line, err)
	}
	return cmd
}

// TestKilledAgentLosesNoPacket keeps asking a guest, in lockstep, while a
// process that holds the gateway is killed and another takes over.
func TestKilledAgentLosesNoPacket(t *testing.T) {
	l := newTestLab(t)
	pins := l.pins + "/gw"
	l.a1.echoUDP("A1", 7)
	thread := netns.NewThread()
	defer thread.Close()

	c := l.gw.dialUDP(netip.AddrPortFrom(l.uniqueA, 7))
	var (
		mu       sync.Mutex
		answers  int
		failed   error
		stop     = make(chan struct{})
		finished = make(chan struct{})
	)
	go func() {
		defer close(finished)
		buf := make([]byte, 100)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			_ = c.SetDeadline(time.Now().Add(patience))
			_, err := fmt.Fprintf(c, "%d", i)
			if err == nil {
				_, err = c.Read(buf) // in lockstep: a lost packet is an answer that never comes
			}
			mu.Lock()
			answers++
			failed = err
			mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	asked := func() int { mu.Lock(); defer mu.Unlock(); return answers }
	for range 3 {
		child := startChild(t, thread, l.gw, pins)
		at := asked()
		until(t, "traffic with the child", func() bool { return asked() > at+100 })
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait()
		at = asked()
		until(t, "traffic without the child", func() bool { return asked() > at+100 })
	}
	close(stop)
	<-finished
	if failed != nil {
		t.Errorf("lost an answer after %d: %v", answers, failed)
	}
	t.Logf("%d questions answered over three kills", answers)

	// What the child put is there, and forwards.
	l.a3.echoUDP("A3", 7)
	if got, err := l.gw.askUDP(0, netip.MustParseAddrPort("100.64.0.99:7"), []byte("x")); err != nil || got[:2] != "A3" {
		t.Errorf("mapping of the killed child: got %q, %v", got, err)
	}
}
