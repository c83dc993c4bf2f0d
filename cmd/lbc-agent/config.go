package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"

	"github.com/unilb/unilb/impl/agent"
	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/store/access"
)

// defaultPinDir is where bpffs is mounted on most systems.
const defaultPinDir = "/sys/fs/bpf/unilb"

// config is the command line.
type config struct {
	agent        agent.Options
	zone, region string
	etcd         []string
	access       access.Access
	statusListen string
	statusURL    string // where others find it
	logLevel     string
	cleanup      bool
}

// parse reads the command line. Its errors name the flag.
func parse(args []string, out io.Writer) (config, error) {
	var c config
	fs := flag.NewFlagSet("lbc-agent", flag.ContinueOnError)
	fs.SetOutput(out)
	role := fs.String("role", "", "`gateway`, member or host")
	fs.StringVar(&c.agent.Node, "node", "", "`name` of this node, e.g. bj/az1/l7-1")
	fs.StringVar(&c.zone, "zone", "", "availability zone")
	fs.StringVar(&c.region, "region", "", "region")
	etcd := fs.String("etcd", "", "`URLs` of etcd, separated by commas")
	c.access.Flags(fs)
	fs.StringVar(&c.agent.Pool, "pool", "", "pool whose VIPs belong on lo: `l7gw` or l7admin (not for hosts)")
	underlay := fs.String("underlay", "", "`address` of this node on the physical network, its VTEP")
	member := fs.String("member-address", "", "`address` of 100.127.0.0/16 behind L4 (not for hosts)")
	fs.StringVar(&c.agent.Uplink, "uplink", "eth0", "`device` that carries the tunnels; its MTU must be at least 1600")
	fs.StringVar(&c.statusListen, "status-listen", ":9093", "`address` of the status listener")
	fs.StringVar(&c.agent.PinDir, "pin-dir", defaultPinDir, "`directory` in a bpffs where programs and entries are pinned")
	fs.StringVar(&c.logLevel, "log-level", "info", "debug, info, warn or error")
	fs.BoolVar(&c.cleanup, "cleanup", false, "remove everything an agent of this role made on this node, and end")
	if err := fs.Parse(args); err != nil {
		return c, err
	}
	if fs.NArg() > 0 {
		return c, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	c.agent.Role = agent.Role(*role)
	var err error
	if c.agent.Underlay, err = address("underlay", *underlay); err != nil {
		return c, err
	}
	if c.agent.Member, err = address("member-address", *member); err != nil {
		return c, err
	}
	if err := c.agent.Validate(); err != nil {
		return c, err
	}
	if c.cleanup {
		return c, nil
	}
	for url := range strings.SplitSeq(*etcd, ",") {
		if url = strings.TrimSpace(url); url != "" {
			c.etcd = append(c.etcd, url)
		}
	}
	if len(c.etcd) == 0 {
		return c, errors.New("--etcd is missing: client URLs of etcd, such as http://10.0.0.1:2379")
	}
	if err = c.access.Read(os.Getenv, c.etcd); err != nil {
		return c, err
	}
	if c.statusURL, err = node.StatusURL(c.statusListen, c.agent.Underlay); err != nil {
		return c, fmt.Errorf("--status-listen %q: want an address and a port, such as :9093", c.statusListen)
	}
	return c, c.agent.Registration(c.region, c.zone, c.statusURL).Validate()
}

// address reads an optional address.
func address(name, s string) (netip.Addr, error) {
	if s == "" {
		return netip.Addr{}, nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return a, fmt.Errorf("--%s %q: want an IP address", name, s)
	}
	return a, nil
}
