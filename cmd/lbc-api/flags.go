package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/unilb/unilb/impl/lbc"
	"github.com/unilb/unilb/impl/store/access"
	"github.com/unilb/unilb/impl/vpc"
)

// options are the flags and the environment.
type options struct {
	node                           string
	etcd                           []string
	access                         access.Access
	listen                         string
	adminURL                       string
	adminVIP                       netip.AddrPort
	pool                           vpc.Pool
	eipRanges, protect             prefixes
	drain, quarantine, mappingWait time.Duration
	adminKey, apiKey               string
	logLevel                       string
}

func parse(args []string, getenv func(string) string) (*options, error) {
	o := &options{adminKey: getenv("UNILB_ADMIN_KEY"), apiKey: getenv("UNILB_API_KEY")}
	var etcd, vip, pool string
	f := flag.NewFlagSet("lbc-api", flag.ContinueOnError)
	f.SetOutput(os.Stderr)
	f.StringVar(&o.node, "node", "", "name of this node, such as bj/az1/api-1; required")
	f.StringVar(&etcd, "etcd", "http://127.0.0.1:2379", "client URLs of etcd members, comma-separated")
	o.access.Flags(f)
	f.StringVar(&o.listen, "listen", ":9095", "address of the API")
	f.StringVar(&o.adminURL, "admin-url", "http://127.0.0.1:9180", "base URL of the Admin API")
	f.StringVar(&vip, "admin-vip", "", "address and port at which L4 is to serve the Admin API, such as 10.0.0.5:9180; empty: L4 does not serve it")
	f.StringVar(&pool, "unique-pool", "100.64.0.0/10", "network that unique IPs come from; 100.127.0.0/16 of it is left out")
	f.Var(&o.eipRanges, "eip-range", "`CIDR` in which addresses of load balancers must lie; repeatable, or comma-separated (default 0.0.0.0/0); never the system's own addresses")
	f.Var(&o.protect, "protect", "`CIDR` that no load balancer and no IDC target may name, beside the system's own addresses; repeatable, or comma-separated")
	f.DurationVar(&o.drain, "drain", 60*time.Second, "how long a mapping outlives its last use in the configuration of any gateway")
	f.DurationVar(&o.quarantine, "quarantine", 10*time.Minute, "how long a unique IP without mapping stays unused")
	f.DurationVar(&o.mappingWait, "mapping-wait", 5*time.Second, "how long a publication waits for agents to have its mappings in force")
	f.StringVar(&o.logLevel, "log-level", "info", "debug, info, warn, error")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	o.etcd = strings.Split(etcd, ",")
	switch {
	case f.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case o.node == "":
		return nil, errors.New("--node is required: the name of this node, such as bj/az1/api-1")
	case o.apiKey == "":
		return nil, errors.New("environment variable UNILB_API_KEY is required: the key that clients send as X-API-KEY")
	case o.adminKey == "":
		return nil, errors.New("environment variable UNILB_ADMIN_KEY is required: the key of the Admin API")
	}
	for _, d := range []struct {
		flag  string
		value time.Duration
	}{{"--drain", o.drain}, {"--quarantine", o.quarantine}, {"--mapping-wait", o.mappingWait}} {
		if d.value <= 0 {
			return nil, fmt.Errorf("%s %s: must be more than 0", d.flag, d.value)
		}
	}
	if u, err := url.Parse(o.adminURL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("--admin-url %q: want a URL such as http://10.0.0.5:9180", o.adminURL)
	}
	if _, _, err := net.SplitHostPort(o.listen); err != nil {
		return nil, fmt.Errorf("--listen: %w", err)
	}
	if err := o.access.Read(getenv, o.etcd); err != nil {
		return nil, err
	}
	return o, o.parseNetworks(vip, pool)
}

func (o *options) parseNetworks(vip, pool string) error {
	var err error
	if o.adminVIP, err = lbc.ParseAdminVIP(vip); err != nil {
		return fmt.Errorf("--admin-vip: %w", err)
	}
	prefix, err := netip.ParsePrefix(pool)
	if err != nil {
		return fmt.Errorf("--unique-pool: %w", err)
	}
	if o.pool, err = vpc.NewPool(prefix); err != nil {
		return fmt.Errorf("--unique-pool: %w", err)
	}
	return nil
}

// prefixes is the value of a repeatable flag of networks.
type prefixes []netip.Prefix

func (p *prefixes) String() string { return fmt.Sprint([]netip.Prefix(*p)) }

// Set adds networks, separated by commas.
func (p *prefixes) Set(text string) error {
	for word := range strings.SplitSeq(text, ",") {
		n, err := netip.ParsePrefix(strings.TrimSpace(word))
		if err != nil || !n.Addr().Is4() || n != n.Masked() {
			return fmt.Errorf("%q: want an IPv4 network without host bits, such as 203.0.113.0/24", word)
		}
		*p = append(*p, n)
	}
	return nil
}
