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
	"github.com/unilb/unilb/impl/certs/files"
	"github.com/unilb/unilb/impl/history"
	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/store/access"
)

// options are the flags and the environment.
type options struct {
	node, zone, region   string
	etcd                 []string
	access               access.Access
	prefix               string
	listen, statusListen string
	listenTLS            string      // "": there is no such listener
	tls                  files.Paths // of it
	pair                 *files.Files
	underlay, member     netip.Addr
	key                  string
	keyring              *apisix.Keyring
	everybodys           bool // the keyring is the one that APISIX ships
	plainSecrets         bool
	viewerKey            string // may only read; "": there is none
	stream               bool
	allow                []netip.Prefix
	noCORS, noVersion    bool
	standalone           bool  // whole configurations are all that it takes
	maxConfigs           int64 // bytes of one
	keep                 int   // entries of the history
	drainDelay, drain    time.Duration
	logLevel             string
	version              bool
}

// environment is the end of the help: what must not stand on a command line.
const environment = `
Environment:
  UNILB_ADMIN_KEY
    	key that clients send as X-API-KEY; required
  UNILB_VIEWER_KEY
    	key that may only read; empty: there is none
  UNILB_KEYRING
    	keys of 16 or 32 bytes, comma-separated, by which secrets in etcd are sealed; all of l7admin and l7gw have the same. Empty: the keyring that APISIX ships
  UNILB_ETCD_USER, UNILB_ETCD_PASSWORD
    	user of etcd; empty: nobody, or who the certificate names
`

func parse(args []string, getenv func(string) string) (*options, error) {
	o := &options{key: getenv("UNILB_ADMIN_KEY"), viewerKey: getenv("UNILB_VIEWER_KEY")}
	var etcd string
	f := flag.NewFlagSet("l7admin", flag.ContinueOnError)
	f.SetOutput(os.Stderr)
	f.Usage = func() {
		fmt.Fprint(f.Output(), "l7admin serves the Admin API. l7admin history, diff, rollback and nodes: see their --help.\n\nFlags:\n")
		f.PrintDefaults()
		fmt.Fprint(f.Output(), environment)
	}
	f.StringVar(&o.node, "node", "", "name of this node, such as bj/az1/admin-1; required")
	f.StringVar(&o.zone, "zone", "", "zone of this node")
	f.StringVar(&o.region, "region", "", "region of this node")
	f.StringVar(&etcd, "etcd", "http://127.0.0.1:2379", "client URLs of etcd members, comma-separated")
	o.access.Flags(f)
	f.StringVar(&o.prefix, "prefix", admin.DefaultPrefix, "directory of APISIX in etcd")
	f.StringVar(&o.listen, "listen", ":9180", "address of the Admin API")
	f.StringVar(&o.listenTLS, "listen-tls", "", "address of the Admin API with TLS, such as :9443; empty: none. With it --listen may be empty")
	f.StringVar(&o.tls.Cert, "tls-cert", "", "`file` with the certificate of --listen-tls, as PEM; looked at for each connection, so that it can be renewed")
	f.StringVar(&o.tls.Key, "tls-key", "", "`file` with its private key")
	f.StringVar(&o.tls.ClientCA, "tls-client-ca", "", "`file` with the certificates of authorities, of one of which clients of --listen-tls must show a certificate; empty: they need not")
	f.StringVar(&o.statusListen, "status-listen", ":9096", "address of the status listener")
	f.TextVar(&o.underlay, "underlay", netip.Addr{}, "this node's address on the physical network")
	f.TextVar(&o.member, "member-address", netip.Addr{}, "address that L4 probes through its tunnel")
	f.BoolVar(&o.plainSecrets, "plain-plugin-secrets", false, "store the secrets of plugins in clear, as APISIX does without enable_encrypt_fields; private keys are sealed all the same")
	f.Func("config-provider", "etcd: objects are written one by one; yaml: APISIX's standalone API, which takes whole configurations and nothing else; default: etcd", func(text string) error {
		o.standalone = text == "yaml"
		if text != "etcd" && text != "yaml" {
			return errors.New("want etcd or yaml")
		}
		return nil
	})
	f.Int64Var(&o.maxConfigs, "max-configs", admin.DefaultMaxConfigs, "largest whole configuration, in `bytes`, with --config-provider=yaml; it takes some times as much of memory")
	f.BoolVar(&o.stream, "stream", false, "take stream routes, for data planes that route connections; l7gw does not")
	f.Func("allow-admin", "networks from which the Admin API may be used, comma-separated; default: all", func(text string) (err error) {
		o.allow, err = networks(text)
		return err
	})
	f.BoolVar(&o.noCORS, "no-cors", false, "do not let pages of other origins use the Admin API")
	f.BoolVar(&o.noVersion, "no-server-tokens", false, "leave the version out of the header Server; clients that look for it may use less of the API")
	f.IntVar(&o.keep, "history", history.DefaultKeep, "`entries` of the history that are kept, the newest; each change of the configuration leaves one")
	f.DurationVar(&o.drainDelay, "drain-delay", 2*time.Second, "on SIGTERM, how long to answer draining before connections are refused")
	f.DurationVar(&o.drain, "drain-timeout", 10*time.Second, "on SIGTERM, how long requests may take to end")
	f.StringVar(&o.logLevel, "log-level", "info", "debug, info, warn, error")
	f.BoolVar(&o.version, "version", false, "print the version and end")
	if err := f.Parse(args); err != nil || o.version {
		return o, err
	}
	o.etcd = strings.Split(etcd, ",")
	switch {
	case f.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case o.keep < 1:
		return nil, fmt.Errorf("--history %d: want 1 or more", o.keep)
	case o.maxConfigs < 1:
		return nil, fmt.Errorf("--max-configs %d: want 1 or more", o.maxConfigs)
	case o.key == "":
		return nil, errors.New("environment variable UNILB_ADMIN_KEY is required: the key that clients send as X-API-KEY")
	case !strings.HasPrefix(o.prefix, "/") || strings.HasSuffix(o.prefix, "/"):
		return nil, fmt.Errorf("--prefix %q: must begin with a slash and not end with one", o.prefix)
	}
	if err := o.readTLS(); err != nil {
		return nil, err
	}
	var err error
	if o.keyring, o.everybodys, err = apisix.ParseKeyring(getenv("UNILB_KEYRING")); err != nil {
		return nil, fmt.Errorf("environment variable UNILB_KEYRING: %w", err)
	}
	if err := o.access.Read(getenv, o.etcd); err != nil {
		return nil, err
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

// readTLS reads the files of the listener with TLS.
func (o *options) readTLS() (err error) {
	switch {
	case o.listen == "" && o.listenTLS == "":
		return errors.New("--listen and --listen-tls are empty: nobody could reach the Admin API")
	case o.listenTLS == "" && (o.tls != files.Paths{}):
		return errors.New("--tls-cert, --tls-key and --tls-client-ca are of --listen-tls, which is empty")
	case o.listenTLS != "" && (o.tls.Cert == "" || o.tls.Key == ""):
		return errors.New("--listen-tls needs --tls-cert and --tls-key")
	case o.listenTLS != "":
		if o.pair, err = files.Load(o.tls); err != nil {
			return fmt.Errorf("--tls-cert, --tls-key, --tls-client-ca: %w", err)
		}
	}
	return nil
}

// networks reads addresses and networks that are separated by commas.
func networks(text string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for item := range strings.SplitSeq(text, ",") {
		if addr, err := netip.ParseAddr(item); err == nil {
			out = append(out, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(item)
		if err != nil {
			return nil, err
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// keys are the API keys: who has the second may only read.
func (o *options) keys() []admin.Key {
	keys := []admin.Key{{Secret: o.key, Role: admin.Admin, Name: "admin"}}
	if o.viewerKey != "" {
		keys = append(keys, admin.Key{Secret: o.viewerKey, Role: admin.Viewer, Name: "viewer"})
	}
	return keys
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
