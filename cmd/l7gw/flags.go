package main

import (
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/gateway"
	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/obs/linelog"
	"github.com/unilb/unilb/impl/obs/meter"
	"github.com/unilb/unilb/impl/proxy"
	"github.com/unilb/unilb/impl/route"
	"github.com/unilb/unilb/impl/secret"
	"github.com/unilb/unilb/impl/store/access"
)

// options are the flags and the environment.
type options struct {
	node, zone, region string
	etcdURLs           string // as they were given
	etcd               []string
	access             access.Access
	prefix             string
	listen, listenTLS  []string
	router             route.Router
	paths              proxy.Paths
	peers              proxy.Peers
	fallbackSNI        string
	ocspStapling       bool
	upstreamCA         string
	secretCA           string
	secretRefresh      time.Duration
	compareEvery       time.Duration
	keyring            *apisix.Keyring
	ticketSecret       string
	stateDir           string
	statusListen       string
	control            string
	underlay, member   netip.Addr
	drainDelay, drain  time.Duration
	restartTimeout     time.Duration
	accessLog          string
	metricSeries       int
	engine             string
	loops              int
	http2              bool
	limits             gateway.Limits
	logLevel           string

	standalone  bool
	adminListen string
	dataDir     string
	adminKey    string
	provider    string // --config-provider of l7admin
	version     bool
	ready       func() // set by serveStandalone
}

// environment is the end of the help.
const environment = `
Environment:
  UNILB_KEYRING        keys of 16 or 32 bytes, comma-separated, that open what is sealed in etcd; l7admin has
                       the same. Empty: those that APISIX ships and everybody knows
  UNILB_TICKET_SECRET  what all gateways seal session tickets of TLS with, 32 bytes or more; empty: made up
  UNILB_ETCD_USER, UNILB_ETCD_PASSWORD
                       who we are to etcd, both or none
  UNILB_ADMIN_KEY      standalone: key of the Admin API, where --admin-key has none
Variables that objects refer to ($env://NAME) are read too, but none that begins with UNILB_.
`

func parse(args []string, getenv func(string) string) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("l7gw", flag.ContinueOnError)
	f.SetOutput(os.Stderr)
	f.Usage = func() {
		fmt.Fprint(f.Output(), "l7gw serves requests. l7gw explain tells what would become of one: see its --help.\n\nFlags:\n")
		f.PrintDefaults()
		fmt.Fprint(f.Output(), environment)
	}
	o.nodeFlags(f)
	o.servingFlags(f)
	o.processFlags(f)
	o.standaloneFlags(f)
	if err := f.Parse(args); err != nil || o.version {
		return o, err
	}
	if o.adminKey == "" { // not as a default, which --help would print
		o.adminKey = getenv("UNILB_ADMIN_KEY")
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if err := o.secrets(getenv); err != nil {
		return nil, err
	}
	o.etcd = strings.Split(o.etcdURLs, ",")
	if err := o.access.Read(getenv, o.etcd); err != nil {
		return nil, err
	}
	if o.standalone {
		set := map[string]bool{}
		f.Visit(func(f *flag.Flag) { set[f.Name] = true })
		o.standaloneDefaults(set)
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	return o, nil
}

// nodeFlags are those of who the node is and where it is told what to serve.
func (o *options) nodeFlags(f *flag.FlagSet) {
	f.StringVar(&o.node, "node", "", "name of this node, such as bj/az1/l7-1; required unless standalone")
	f.StringVar(&o.zone, "zone", "", "zone of this node")
	f.StringVar(&o.region, "region", "", "region of this node")
	f.TextVar(&o.underlay, "underlay", netip.Addr{}, "this node's address on the physical network")
	f.TextVar(&o.member, "member-address", netip.Addr{}, "address that L4 probes through its tunnel")
	f.StringVar(&o.etcdURLs, "etcd", "http://127.0.0.1:2379", "client URLs of etcd members, comma-separated")
	o.access.Flags(f)
	f.StringVar(&o.prefix, "prefix", "/apisix", "directory of APISIX in etcd")
	f.StringVar(&o.stateDir, "state-dir", "", "`directory` of this process for the last good configuration, to begin with when etcd is away; empty: none is kept")
	f.DurationVar(&o.compareEvery, "compare-every", node.DefaultCompareEvery, "how often, on average, to compare what is in force here with what other gateways say, 1s to 1h")
	f.DurationVar(&o.secretRefresh, "secret-refresh", secret.DefaultRefresh, "how often secrets that objects refer to are asked for again, 1s to 24h")
	f.StringVar(&o.secretCA, "secret-ca", "", "file with the certificates of authorities that managers of secrets are verified by; empty: the system's")
}

// servingFlags are those of what is served, and how.
func (o *options) servingFlags(f *flag.FlagSet) {
	f.Func("listen", "address to serve besides listener objects, such as :9080; repeatable", func(s string) error {
		o.listen = append(o.listen, s)
		return nil
	})
	f.Func("listen-tls", "address to serve with TLS besides listener objects, such as :9443; repeatable", func(s string) error {
		o.listenTLS = append(o.listenTLS, s)
		return nil
	})
	f.Func("http-router", "how routes are found: radixtree_host_uri (the default), radixtree_uri or radixtree_uri_with_parameter; docs/routing.md tells them apart", func(s string) (err error) {
		o.router, err = route.ParseRouter(s)
		return err
	})
	f.BoolVar(&o.paths.EncodedSlash, "match-uri-encoded-slash", false, "an encoded slash (%2F) in a path is no slash to routes")
	f.BoolVar(&o.paths.TailSlash, "delete-uri-tail-slash", false, "routes see paths without the slash at their end; / stays")
	f.BoolVar(&o.paths.Servlet, "normalize-uri-like-servlet", false, "routes see paths without ;parameters of segments; paths that hide something so are answered with 400")
	peerFlags(f, &o.peers)
	f.StringVar(&o.fallbackSNI, "fallback-sni", "", "name that is served to clients which ask for none by TLS; empty: they get no handshake")
	f.BoolVar(&o.ocspStapling, "ocsp-stapling", false, "ask the OCSP responders that certificates name and staple what they say; without it for certificates alone that demand it")
	f.StringVar(&o.upstreamCA, "upstream-ca", "", "file with the certificates of authorities that upstreams are verified by; empty: the system's")
	f.StringVar(&o.engine, "engine", gateway.EngineLoop, "what serves requests: loop (event loops of our own) or std (the library's server, the reference)")
	f.BoolVar(&o.http2, "http2", true, "serve HTTP/2 too, with TLS and without it")
	f.IntVar(&o.loops, "loops", 1, "event loops of the engine loop, 1 to 64; a processor each")
	limitFlags(f, &o.limits)
}

// processFlags are those of how the process is watched and ended.
func (o *options) processFlags(f *flag.FlagSet) {
	f.StringVar(&o.statusListen, "status-listen", ":9092", "address of the status listener")
	f.StringVar(&o.control, "control", "", "`address` of the control API, such as 127.0.0.1:9090: it asks nobody who he is; empty: none (standalone: 127.0.0.1:9090)")
	f.DurationVar(&o.drainDelay, "drain-delay", 2*time.Second, "on SIGTERM, how long to answer draining before connections are refused")
	f.DurationVar(&o.drain, "drain-timeout", 30*time.Second, "on SIGTERM, how long requests may take to end; after SIGUSR2, connections")
	f.DurationVar(&o.restartTimeout, "restart-timeout", time.Minute, "on SIGUSR2, how long a successor may take to be ready; then we go on")
	f.StringVar(&o.accessLog, "access-log", "", "file for one JSON line a request, opened anew on SIGUSR1; -: stderr; empty: none")
	f.IntVar(&o.metricSeries, "metrics-series", meter.DefaultMost, "pairs of route and node that metrics tell apart, 1 to 1000000; others are counted together")
	f.StringVar(&o.logLevel, "log-level", "info", "debug, info, warn, error")
	f.BoolVar(&o.version, "version", false, "print the version and end")
}

// standaloneFlags are those of a gateway that brings its own etcd and Admin API.
func (o *options) standaloneFlags(f *flag.FlagSet) {
	f.BoolVar(&o.standalone, "standalone", false, "start etcd and the Admin API as children on loopback; for a first try")
	f.StringVar(&o.adminListen, "admin-listen", "127.0.0.1:9180", "standalone: address of the Admin API")
	f.StringVar(&o.provider, "config-provider", "etcd", "standalone: what the Admin API takes: etcd, objects one by one; yaml, APISIX's standalone API, whole configurations")
	f.StringVar(&o.dataDir, "data-dir", "", "standalone: where etcd keeps its data; empty: a fresh directory that is removed at the end")
	f.StringVar(&o.adminKey, "admin-key", "", "standalone: key of the Admin API (default $UNILB_ADMIN_KEY, else one is made up)")
}

// check names the first setting that makes no sense.
func (o *options) check() error {
	if o.engine != gateway.EngineStd && o.engine != gateway.EngineLoop {
		return fmt.Errorf("--engine %q: want %s or %s", o.engine, gateway.EngineStd, gateway.EngineLoop)
	}
	if o.provider != "etcd" && o.provider != "yaml" {
		return fmt.Errorf("--config-provider %q: want etcd or yaml", o.provider)
	}
	const maxLoops = 64
	if o.loops < 1 || o.loops > maxLoops {
		return fmt.Errorf("--loops %d: want 1 to %d", o.loops, maxLoops)
	}
	const maxSeries = 1_000_000
	if o.metricSeries < 1 || o.metricSeries > maxSeries {
		return fmt.Errorf("--metrics-series %d: want 1 to %d", o.metricSeries, maxSeries)
	}
	if o.secretRefresh < time.Second || o.secretRefresh > 24*time.Hour {
		return fmt.Errorf("--secret-refresh %s: want 1s to 24h", o.secretRefresh)
	}
	if o.compareEvery < time.Second || o.compareEvery > time.Hour {
		return fmt.Errorf("--compare-every %s: want 1s to 1h", o.compareEvery)
	}
	if err := checkLimits(&o.limits); err != nil {
		return err
	}
	for _, secure := range o.listenTLS {
		if i := slices.IndexFunc(o.listen, func(plain string) bool { return gateway.SameListener(plain, secure) }); i >= 0 {
			return fmt.Errorf("--listen %s and --listen-tls %s are one address: it is served with TLS or without", o.listen[i], secure)
		}
	}
	if !strings.HasPrefix(o.prefix, "/") || strings.HasSuffix(o.prefix, "/") {
		return fmt.Errorf("--prefix %q: must begin with a slash and not end with one", o.prefix)
	}
	reg, err := o.registration()
	if err != nil {
		return err
	}
	if err := reg.Validate(); err != nil {
		return fmt.Errorf("--node: %w", err)
	}
	return nil
}

// minTicketSecret is how long the secret of session tickets must be, in bytes.
const minTicketSecret = 32

// secrets reads what must not stand on a command line.
func (o *options) secrets(getenv func(string) string) (err error) {
	if o.keyring, _, err = apisix.ParseKeyring(getenv("UNILB_KEYRING")); err != nil {
		return fmt.Errorf("environment variable UNILB_KEYRING: %w", err)
	}
	o.ticketSecret = getenv("UNILB_TICKET_SECRET")
	if n := len(o.ticketSecret); n > 0 && n < minTicketSecret {
		return fmt.Errorf("environment variable UNILB_TICKET_SECRET has %d bytes, must have %d or more", n, minTicketSecret)
	}
	return nil
}

// standaloneDefaults fills in what suits one machine, where the user said nothing.
func (o *options) standaloneDefaults(set map[string]bool) {
	if !set["node"] {
		o.node = "standalone"
	}
	if !set["listen"] {
		o.listen = []string{"127.0.0.1:9080"}
	}
	if !set["status-listen"] {
		o.statusListen = "127.0.0.1:9092"
	}
	if !set["control"] {
		o.control = "127.0.0.1:9090" // where APISIX has it
	}
	if !set["drain-delay"] {
		o.drainDelay = 0 // nobody spreads connections over us
	}
	if !set["drain-timeout"] {
		o.drain = 5 * time.Second
	}
	if !set["log-level"] {
		o.logLevel = "warn"
	}
}

func (o *options) registration() (node.Registration, error) {
	status, err := node.StatusURL(o.statusListen, o.underlay)
	if err != nil {
		return node.Registration{}, fmt.Errorf("--status-listen: %w", err)
	}
	return node.Registration{
		Name: o.node, Kind: "l7gw", Region: o.region, Zone: o.zone, Underlay: o.underlay, Member: o.member, Status: status,
	}, nil
}

// roots reads the authorities in the file of a flag; nil: the system's.
func roots(flag, file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("--%s: %s holds no certificate", flag, file)
	}
	return pool, nil
}

// openAccessLog is how the access log is opened; nil: there is none.
func (o *options) openAccessLog() func() (io.WriteCloser, error) {
	switch o.accessLog {
	case "":
		return nil
	case "-":
		return func() (io.WriteCloser, error) { return stderr{}, nil }
	}
	return linelog.File(o.accessLog)
}

// stderr is not ours to close.
type stderr struct{}

func (stderr) Write(b []byte) (int, error) { return os.Stderr.Write(b) }
func (stderr) Close() error                { return nil }
