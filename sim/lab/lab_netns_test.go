//go:build netns

package lab_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/proc"
	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/topology"
)

func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "server":
		beServer(os.Args[1:])
	case "agent":
		beAgent(os.Args[1])
	case "brief": // ready, and ends when somebody opens the pipe
		sayReady()
		_, _ = os.Open(os.Args[1])
		fmt.Fprintln(os.Stderr, "I have seen enough")
		os.Exit(4)
	case "silent":
		_, _ = os.OpenFile(os.Args[1], os.O_WRONLY, 0)
		select {}
	case "broken":
		fmt.Fprintln(os.Stderr, "cannot find my shoes")
		os.Exit(3)
	}
	sandbox.Main(m)
}

// beServer plays a process of the plan: a status listener and a service that says
// its name, and what its agent has configured if it is told where that is.
func beServer(args []string) {
	go func() {
		_ = http.ListenAndServe(":9094", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	}()
	l, err := net.Listen("tcp4", ":80")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	sayReady()
	for {
		c, err := l.Accept()
		if err != nil {
			os.Exit(1)
		}
		go func() {
			lines := bufio.NewScanner(c)
			for lines.Scan() {
				fmt.Fprintln(c, args[0]+configured(args[1:]))
			}
		}()
	}
}

func configured(files []string) string {
	if len(files) == 0 {
		return ""
	}
	b, _ := os.ReadFile(files[0]) // nothing yet
	return " " + string(b)
}

// beAgent plays lbc-agent: it writes each line that a peer sends to the file.
func beAgent(file string) {
	l, err := net.Listen("tcp4", fmt.Sprintf(":%d", topology.AgentPort))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	sayReady()
	for {
		c, err := l.Accept()
		if err != nil {
			os.Exit(1)
		}
		for lines := bufio.NewScanner(c); lines.Scan(); {
			err := os.WriteFile(file, lines.Bytes(), 0o600)
			fmt.Fprintln(c, "done", err)
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

const vip = "203.0.113.10"

// small is a plan with an edge, two servers behind a VIP, a classic server behind
// a wire and a client.
func small(binary string) *topology.Plan {
	end := func(ref, ifname, addr string) topology.End {
		return topology.End{Node: topology.Ref(ref), If: ifname, Addr: netip.MustParsePrefix(addr)}
	}
	link := func(kind topology.LinkKind, a, b topology.End) topology.Link {
		return topology.Link{Name: string(a.Node) + "--" + string(b.Node), Kind: kind, MTU: 1500, A: a, B: b}
	}
	node := func(ref string, kind topology.Kind, addr, gw string) topology.Node {
		n := topology.Node{Ref: topology.Ref(ref), Kind: kind, Region: "bj", Zone: "az1"}
		if addr != "" {
			n.Underlay = netip.MustParseAddr(addr)
			n.Routes = []topology.Route{{Dst: netip.MustParsePrefix("0.0.0.0/0"), Via: netip.MustParseAddr(gw), Dev: "eth0", Src: n.Underlay}}
		}
		return n
	}
	server := func(ref, addr, gw string) topology.Node {
		n := node(ref, topology.KindL4, addr, gw)
		n.Loopback = []netip.Prefix{netip.MustParsePrefix(vip + "/32")}
		n.Processes = []topology.Process{{Name: "server", Binary: binary, Args: []string{ref}}}
		return n
	}
	edge := node("bj/edge", topology.KindEdge, "", "")
	edge.Forward = true
	edge.Routes = []topology.Route{{Dst: netip.MustParsePrefix(vip + "/32"), Group: "bj-l4"}}
	classic := node("idc/bj/blue-1", topology.KindIDC, "10.20.0.1", "10.20.0.0")
	classic.Echo = []uint16{8080}
	leg := func(ref, addr, dev string) topology.Leg {
		return topology.Leg{To: topology.Ref(ref), Via: netip.MustParseAddr(addr), Dev: dev, Probe: "http://" + addr + ":9094/status/ready"}
	}
	return &topology.Plan{
		Lab: "small",
		Nodes: []topology.Node{
			edge, server("bj/az1/l4-1", "10.0.1.1", "10.0.1.0"), server("bj/az1/l4-2", "10.0.1.3", "10.0.1.2"),
			classic, node("client/inet-1", topology.KindClient, "10.0.0.1", "10.0.0.0"),
		},
		Links: []topology.Link{
			link(topology.LinkVeth, end("client/inet-1", "eth0", "10.0.0.1/31"), end("bj/edge", "eth0", "10.0.0.0/31")),
			link(topology.LinkVeth, end("bj/az1/l4-1", "eth0", "10.0.1.1/31"), end("bj/edge", "eth1", "10.0.1.0/31")),
			link(topology.LinkVeth, end("bj/az1/l4-2", "eth0", "10.0.1.3/31"), end("bj/edge", "eth2", "10.0.1.2/31")),
			link(topology.LinkWire, end("idc/bj/blue-1", "eth0", "10.20.0.1/31"), end("bj/edge", "eth3", "10.20.0.0/31")),
		},
		Groups: []topology.NexthopGroup{{Name: "bj-l4", Node: "bj/edge",
			Legs: []topology.Leg{leg("bj/az1/l4-1", "10.0.1.1", "eth1"), leg("bj/az1/l4-2", "10.0.1.3", "eth2")}}},
	}
}

// bins makes a directory in which this test binary has the names.
func bins(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"server", "agent", "broken", "brief", "silent"} {
		self, err := os.Executable()
		if err == nil {
			err = os.Symlink(self, filepath.Join(dir, name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func ctx(t *testing.T) context.Context {
	t.Helper()
	c, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return c
}

func up(t *testing.T) *lab.Lab {
	t.Helper()
	return upPlan(t, small("server"))
}

func upPlan(t *testing.T, p *topology.Plan) *lab.Lab {
	t.Helper()
	sandbox.Require(t, sandbox.CapNetNS, sandbox.CapTUN)
	l, err := lab.Up(ctx(t), p, lab.Options{BinDir: bins(t), Dir: t.TempDir(),
		Progress: func(s lab.Step) { t.Logf("%-8s %s (%v)", s.Name, s.Text, s.Took) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return l
}

func node(t *testing.T, l *lab.Lab, ref topology.Ref) *lab.Node {
	t.Helper()
	n, err := l.Node(ref)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func dial(t *testing.T, n *lab.Node, to string) (net.Conn, error) {
	t.Helper()
	c, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	conn, err := n.Dial(c, "tcp4", netip.MustParseAddrPort(to))
	if err == nil {
		t.Cleanup(func() { conn.Close() })
	}
	return conn, err
}

// ask sends a line and returns the answer.
func ask(t *testing.T, c net.Conn, within time.Duration) (string, error) {
	t.Helper()
	if _, err := fmt.Fprintln(c, "who?"); err != nil {
		return "", err
	}
	if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	return strings.TrimSpace(line), err
}

func timedOut(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// until polls what has no event.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(15 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 15s: %s", what)
		}
	}
}

func legIn(l *lab.Lab, leg int) bool { return l.Status().Spread[0].Legs[leg].In }

// served asks the VIP n times on new connections and counts who answers.
func served(t *testing.T, l *lab.Lab, n int) map[string]int {
	t.Helper()
	who := map[string]int{}
	for range n {
		c, err := dial(t, node(t, l, "client/inet-1"), vip+":80")
		if err != nil {
			who[err.Error()]++
			continue
		}
		name, err := ask(t, c, 2*time.Second)
		if err != nil {
			name = err.Error()
		}
		who[name]++
		c.Close()
	}
	return who
}

func TestLabComesUpAndServes(t *testing.T) {
	l := up(t)
	client := node(t, l, "client/inet-1")
	if who := served(t, l, 20); who["bj/az1/l4-1"] == 0 || who["bj/az1/l4-2"] == 0 || len(who) != 2 {
		t.Errorf("answers by %v, want both servers and nothing else", who)
	}
	c, err := dial(t, client, "10.20.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "GET /x HTTP/1.1\r\nHost: a\r\nX-Op-Id: op-1\r\nConnection: close\r\n\r\n")
	reply, err := io.ReadAll(c)
	if err != nil || !strings.Contains(string(reply), "idc/bj/blue-1") {
		t.Errorf("echo backend answered %q, %v", reply, err)
	}
	h := l.Recorder().Snapshot()
	if len(h.Arrivals) != 1 || h.Arrivals[0].ID != "op-1" {
		t.Errorf("arrivals: %+v", h.Arrivals)
	}
	out, err := client.Exec(ctx(t), "cat", "/proc/self/net/dev")
	if err != nil || !strings.Contains(string(out.Stdout), "eth0") {
		t.Errorf("exec in the node: %q, %v", out.Stdout, err)
	}
	if got := len(l.Select("bj/az1/*")); got != 2 {
		t.Errorf("selected %d nodes, want 2", got)
	}
	if st := l.Status(); !st.Up || st.Nodes[1].Processes[0].State != "ready" {
		t.Errorf("status: %+v", st)
	}
}

func TestFailureToComeUpQuotesTheLogAndLeavesNothing(t *testing.T) {
	sandbox.Require(t, sandbox.CapNetNS, sandbox.CapTUN)
	before := children(t)
	_, err := lab.Up(ctx(t), small("broken"), lab.Options{BinDir: bins(t), Dir: t.TempDir()})
	var nr *proc.NotReady
	if !errors.As(err, &nr) || !strings.Contains(err.Error(), "cannot find my shoes") {
		t.Errorf("got %v, want *NotReady that quotes the log", err)
	}
	if got := children(t); got != before {
		t.Errorf("%d processes are left, %d before", got, before)
	}
	if left, _ := filepath.Glob("/run/lab/small/bj/az1/*"); len(left) > 0 {
		t.Errorf("disks are left, which the next lab of this sandbox would take for its own: %v", left)
	}
	_, err = lab.Up(ctx(t), small("nowhere"), lab.Options{BinDir: bins(t), Dir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "nowhere") || !strings.Contains(err.Error(), "make build") {
		t.Errorf("missing binary: got %v", err)
	}
}

// Those that wait for it would wait as long as they may.
func TestProcessThatEndsAfterItWasReadyEndsUp(t *testing.T) {
	sandbox.Require(t, sandbox.CapNetNS, sandbox.CapTUN)
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	p := small("brief")
	p.Nodes[1].Processes[0].Args = []string{pipe}
	p.Nodes[2].Processes = []topology.Process{{Name: "server", Binary: "silent", Args: []string{pipe}, Stage: 1}}
	const patience = 20 * time.Minute // the test fails by its own limit
	_, err := lab.Up(ctx(t), p, lab.Options{BinDir: bins(t), Dir: t.TempDir(), ReadyWithin: patience})
	var nr *proc.NotReady
	if !errors.As(err, &nr) || nr.Name != "bj/az1/l4-1/server" || nr.Log != "I have seen enough" || !strings.Contains(err.Error(), "exit code 4") {
		t.Errorf("got %v, want *NotReady of the process that ended", err)
	}
}

func TestDownMayBeRepeatedAndEndsEverything(t *testing.T) {
	before := children(t)
	l := up(t)
	client := node(t, l, "client/inet-1")
	if _, err := l.Inject(ctx(t), fault.Freeze{On: "bj/az1/l4-1"}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.Down(ctx(t)); err != nil {
			t.Fatal(err)
		}
	}
	if got := children(t); got != before {
		t.Errorf("%d processes are left, %d before", got, before)
	}
	if _, err := dial(t, client, "10.0.1.1:80"); !errors.Is(err, lab.ErrDown) {
		t.Errorf("dial in a lab that is down: got %v", err)
	}
}

// children counts the processes in the sandbox.
func children(t *testing.T) int {
	t.Helper()
	entries, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
