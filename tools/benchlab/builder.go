package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/topology"
)

//go:embed mininet.py
var mininetScript string

// builder is this program in a sandbox that build started. It returns the exit code.
func builder(args []string) int {
	if err := buildAs(args); err != nil {
		fmt.Fprintln(os.Stderr, "benchlab:", err)
		return codeBroken
	}
	return codeGood
}

func buildAs(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("want a builder and a number of hosts, got %q", args)
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	if args[0] == byOurs {
		return buildOurs(n)
	}
	python, err := mininetPython()
	if err != nil {
		return err
	}
	err = unix.Exec(python, []string{python, "-c", mininetScript, args[1]}, os.Environ())
	return fmt.Errorf("start %s: %w", python, err)
}

// buildOurs takes the way of lbsim up: from the text of a topology to a lab.
func buildOurs(n int) error {
	ctx := context.Background()
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(built{Ready: true}); err != nil {
		return err
	}
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
		return err
	}
	before, err := ownCPU()
	if err != nil {
		return err
	}
	start := time.Now()
	l, err := layHosts(ctx, n)
	if err != nil {
		return err
	}
	b := built{Wall: time.Since(start).Seconds()}
	after, err := ownCPU()
	if err != nil {
		return err
	}
	b.CPU = (after - before).Seconds()
	if err := reach(ctx, l); err != nil {
		b.Error = err.Error()
	}
	b.Reached = b.Error == ""
	if err := out.Encode(b); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin) // until we may end, and all that is here with us
	return err
}

func layHosts(ctx context.Context, n int) (*lab.Lab, error) {
	spec, err := topology.Parse("hosts.yaml", []byte(hostsFile(n)))
	if err != nil {
		return nil, err
	}
	plan, err := spec.Plan()
	if err != nil {
		return nil, err
	}
	return lab.Up(ctx, plan, lab.Options{})
}

// hostsFile is a topology with n clients of one bare region.
func hostsFile(n int) string {
	const most = 256 // of one entry
	var b strings.Builder
	b.WriteString("lab: hosts\nseed: 1\nregions: {bj: {bare: true, azs: {az1: {}}}}\nclients:\n")
	for i := 0; n > 0; i++ {
		fmt.Fprintf(&b, "  - {name: h%d, at: internet, count: %d}\n", i, min(n, most))
		n -= most
	}
	return b.String()
}

// reach sends a datagram from the first host to the last and back.
func reach(ctx context.Context, l *lab.Lab) error {
	hosts := l.Plan().OfKind(topology.KindClient)
	first, err := l.Node(hosts[0].Ref)
	if err != nil {
		return err
	}
	last, err := l.Node(hosts[len(hosts)-1].Ref)
	if err != nil {
		return err
	}
	at := netip.AddrPortFrom(addressOf(l.Plan(), last.Ref()), echoPort)
	server, err := last.ListenPacket("udp4", at)
	if err != nil {
		return err
	}
	defer server.Close()
	conn, err := first.Dial(ctx, "udp4", at)
	if err != nil {
		return err
	}
	defer conn.Close()
	deadline := time.Now().Add(10 * time.Second)
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	if err := server.SetDeadline(deadline); err != nil {
		return err
	}
	buf := []byte("x")
	if _, err := conn.Write(buf); err != nil {
		return err
	}
	_, from, err := server.ReadFrom(buf)
	if err != nil {
		return err
	}
	if _, err := server.WriteTo(buf, from); err != nil {
		return err
	}
	_, err = conn.Read(buf)
	return err
}

// addressOf is the address of a node at its only link.
func addressOf(p *topology.Plan, ref topology.Ref) netip.Addr {
	for _, l := range p.LinksOf(ref) {
		for _, e := range []topology.End{l.A, l.B} {
			if e.Node == ref {
				return e.Addr.Addr()
			}
		}
	}
	return netip.Addr{}
}
