package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/unilb/unilb/impl/l4"
	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/store/access"
)

// config is what the flags say.
type config struct {
	node, zone, region string
	etcd               []string
	access             access.Access
	underlay           netip.Addr
	uplink             string
	statusListen       string
	statusPort         uint16
	pinDir             string
	probeInterval      time.Duration
	probeTimeout       time.Duration
	probeMisses        int
	drainTimeout       time.Duration
	removePins         bool
	connections        uint
	logLevel           string
}

// parse reads the flags. Usage goes to w.
func parse(args []string, w io.Writer) (config, error) {
	var c config
	var etcd, underlay string
	fs := flag.NewFlagSet("l4lb", flag.ContinueOnError)
	fs.SetOutput(w)
	fs.StringVar(&c.node, "node", "", "name of this node, a `path` such as bj/az1/l4-1 (required)")
	fs.StringVar(&c.zone, "zone", "", "zone of this node")
	fs.StringVar(&c.region, "region", "", "region of this node")
	fs.StringVar(&etcd, "etcd", "", "client `URLs` of etcd, separated by commas (required)")
	c.access.Flags(fs)
	fs.StringVar(&underlay, "underlay", "", "own `address` on the physical network; the tunnel's source (required)")
	fs.StringVar(&c.uplink, "uplink", "eth0", "`device` on which packets for VIPs arrive")
	fs.StringVar(&c.statusListen, "status-listen", ":9094", "`address` of the status listener")
	fs.StringVar(&c.pinDir, "pin-dir", "/sys/fs/bpf/unilb/l4", "`directory` on a bpffs, of this node alone")
	fs.DurationVar(&c.probeInterval, "probe-interval", l4.DefaultInterval, "time between two probes of a member")
	fs.DurationVar(&c.probeTimeout, "probe-timeout", l4.DefaultTimeout, "time a member has to answer")
	fs.IntVar(&c.probeMisses, "probe-misses", l4.DefaultMisses, "missed probes in a row until a member is down")
	fs.DurationVar(&c.drainTimeout, "drain-timeout", 2*time.Second, "after SIGTERM: time for the router to take this node out")
	fs.BoolVar(&c.removePins, "remove-pins", false, "stop forwarding at the end, instead of leaving it to the kernel")
	fs.UintVar(&c.connections, "connections", 0, "entries of the connection table (default 262144)")
	fs.StringVar(&c.logLevel, "log-level", "info", "debug, info, warn or error")
	if err := fs.Parse(args); err != nil {
		return config{}, err
	}
	if fs.NArg() > 0 {
		return config{}, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	var err error
	if c.etcd, err = endpoints(etcd); err != nil {
		return config{}, err
	}
	if err = c.access.Read(os.Getenv, c.etcd); err != nil {
		return config{}, err
	}
	if c.underlay, err = netip.ParseAddr(underlay); err != nil || !c.underlay.Is4() {
		return config{}, fmt.Errorf("--underlay %q: want an IPv4 address", underlay)
	}
	if c.statusPort, err = portOf(c.statusListen); err != nil {
		return config{}, err
	}
	return c, c.validate()
}

func endpoints(list string) ([]string, error) {
	var out []string
	for e := range strings.SplitSeq(list, ",") {
		u, err := url.Parse(e)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("--etcd %q: want URLs such as http://10.0.0.1:2379, separated by commas", list)
		}
		out = append(out, e)
	}
	return out, nil
}

func portOf(listen string) (uint16, error) {
	_, port, err := net.SplitHostPort(listen)
	if err == nil {
		var n uint64
		if n, err = strconv.ParseUint(port, 10, 16); err == nil && n > 0 {
			return uint16(n), nil
		}
	}
	return 0, fmt.Errorf("--status-listen %q: want host:port or :port", listen)
}

func (c config) validate() error {
	switch {
	case c.uplink == "":
		return errors.New("--uplink: want a device")
	case c.pinDir == "":
		return errors.New("--pin-dir: want a directory")
	case c.probeInterval <= 0 || c.probeTimeout <= 0:
		return errors.New("--probe-interval and --probe-timeout: want more than 0")
	case c.probeMisses < 1:
		return fmt.Errorf("--probe-misses %d: want at least 1", c.probeMisses)
	case c.drainTimeout < 0:
		return fmt.Errorf("--drain-timeout %s: want 0 or more", c.drainTimeout)
	case c.connections > math.MaxInt32:
		return fmt.Errorf("--connections %d: want at most %d", c.connections, math.MaxInt32)
	}
	if err := c.registration().Validate(); err != nil {
		return fmt.Errorf("--node: %w", err)
	}
	return nil
}

// registration is how the node names itself to the region.
func (c config) registration() node.Registration {
	return node.Registration{
		Name: c.node, Kind: "l4lb", Region: c.region, Zone: c.zone, Underlay: c.underlay,
		Status:  "http://" + netip.AddrPortFrom(c.underlay, c.statusPort).String(),
		Watches: []string{l4.Watches},
	}
}
