package main

import (
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/unilb/unilb/impl/admin"
	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/node"
)

// options are the flags and the environment.
type options struct {
	node, zone, region   string
	etcd                 []string
	prefix               string
	listen, statusListen string
	underlay, member     netip.Addr
	key                  string
	keyring              *apisix.Keyring
	everybodys           bool // the keyring is the one that APISIX ships
	plainSecrets         bool
	drainDelay, drain    time.Duration
	logLevel             string
}

func parse(args []string, getenv func(string) string) (*options, error) {
	o := &options{key: getenv("UNILB_ADMIN_KEY")}
	var etcd string
	f := flag.NewFlagSet("l7admin", flag.ContinueOnError)
	f.SetOutput(os.Stderr)
	f.StringVar(&o.node, "node", "", "name of this node, such as bj/az1/admin-1; required")
	f.StringVar(&o.zone, "zone", "", "zone of this node")
	f.StringVar(&o.region, "region", "", "region of this node")
	f.StringVar(&etcd, "etcd", "http://127.0.0.1:2379", "client URLs of etcd members, comma-separated")
	f.StringVar(&o.prefix, "prefix", admin.DefaultPrefix, "directory of APISIX in etcd")
	f.StringVar(&o.listen, "listen", ":9180", "address of the Admin API")
	f.StringVar(&o.statusListen, "status-listen", ":9096", "address of the status listener")
	f.TextVar(&o.underlay, "underlay", netip.Addr{}, "this node's address on the physical network")
	f.TextVar(&o.member, "member-address", netip.Addr{}, "address that L4 probes through its tunnel")
	f.BoolVar(&o.plainSecrets, "plain-plugin-secrets", false, "store the secrets of plugins in clear, as APISIX does without enable_encrypt_fields; private keys are sealed all the same")
	f.DurationVar(&o.drainDelay, "drain-delay", 2*time.Second, "on SIGTERM, how long to answer draining before connections are refused")
	f.DurationVar(&o.drain, "drain-timeout", 10*time.Second, "on SIGTERM, how long requests may take to end")
	f.StringVar(&o.logLevel, "log-level", "info", "debug, info, warn, error")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	o.etcd = strings.Split(etcd, ",")
	switch {
	case f.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case o.key == "":
		return nil, errors.New("environment variable UNILB_ADMIN_KEY is required: the key that clients send as X-API-KEY")
	case !strings.HasPrefix(o.prefix, "/") || strings.HasSuffix(o.prefix, "/"):
		return nil, fmt.Errorf("--prefix %q: must begin with a slash and not end with one", o.prefix)
	}
	var err error
	if o.keyring, o.everybodys, err = apisix.ParseKeyring(getenv("UNILB_KEYRING")); err != nil {
		return nil, fmt.Errorf("environment variable UNILB_KEYRING: %w", err)
	}
	reg, err := o.registration()
	if err != nil {
		return nil, err
	}
	if err := reg.Validate(); err != nil {
		return nil, fmt.Errorf("--node: %w", err)
	}
	return o, nil
}

// registration is how this node enters the region. It watches nothing: every
// answer is read from etcd.
func (o *options) registration() (node.Registration, error) {
	status, err := node.StatusURL(o.statusListen, o.underlay)
	if err != nil {
		return node.Registration{}, fmt.Errorf("--status-listen: %w", err)
	}
	return node.Registration{
		Name: o.node, Kind: "l7admin", Region: o.region, Zone: o.zone, Underlay: o.underlay, Member: o.member, Status: status,
	}, nil
}
