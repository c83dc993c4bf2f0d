package main

import (
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// options are the flags of one member.
type options struct {
	name, dataDir                  string
	listenClient, listenPeer       string
	advertiseClient, advertisePeer string
	initialCluster, token          string
	newCluster                     bool
	heartbeat, election            time.Duration
	quota                          int64
	retention                      time.Duration
	maxTxnOps, maxRequest          uint
	client, peer                   keys
	logLevel                       string
}

// keys are the files of one side's TLS.
type keys struct{ cert, key, ca string }

func (k *keys) flags(f *flag.FlagSet, side, whom string) {
	f.StringVar(&k.cert, side+"cert", "", "`file` with the certificate that "+whom+" are shown at https:// URLs")
	f.StringVar(&k.key, side+"key", "", "`file` with its private key")
	f.StringVar(&k.ca, side+"ca", "", "`file` with the certificates of authorities, of one of which "+whom+" must show a certificate; empty: they need not")
}

func (k *keys) check(side string, urls string) error {
	secure := strings.Contains(urls, "https://")
	switch {
	case (k.cert == "") != (k.key == ""):
		return fmt.Errorf("--%scert and --%skey go together: one of them is empty", side, side)
	case secure && k.cert == "":
		return fmt.Errorf("%s: --%scert is required for https://", urls, side)
	case !secure && (k.cert != "" || k.ca != ""):
		return fmt.Errorf("%s: with --%scert or --%sca URLs must be https://", urls, side, side)
	}
	return nil
}

func parse(args []string) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("unilb-etcd", flag.ContinueOnError)
	f.SetOutput(os.Stderr)
	f.StringVar(&o.name, "name", "", "name of this member; required")
	f.StringVar(&o.dataDir, "data-dir", "", "directory of its data; required")
	f.StringVar(&o.listenClient, "listen-client", "http://127.0.0.1:2379", "URLs to serve clients on, comma-separated")
	f.StringVar(&o.listenPeer, "listen-peer", "http://127.0.0.1:2380", "URLs to serve other members on, comma-separated")
	f.StringVar(&o.advertiseClient, "advertise-client", "", "URLs that clients are told (default --listen-client)")
	f.StringVar(&o.advertisePeer, "advertise-peer", "", "URLs that members are told (default --listen-peer)")
	f.StringVar(&o.initialCluster, "initial-cluster", "", "all members as name=peer-url,… (default this one alone)")
	f.StringVar(&o.token, "cluster-token", "unilb", "what tells clusters with equal members apart")
	f.BoolVar(&o.newCluster, "new-cluster", true, "the cluster begins now; false to join one; a member that has data ignores it")
	f.DurationVar(&o.heartbeat, "heartbeat-interval", 100*time.Millisecond, "pause between the leader's heartbeats; about one round trip between members")
	f.DurationVar(&o.election, "election-timeout", time.Second, "silence of the leader after which another is elected; at least 5 heartbeats")
	f.Int64Var(&o.quota, "quota-bytes", 4<<30, "size of the database at which writes stop")
	f.DurationVar(&o.retention, "compaction-retention", time.Hour, "how long old revisions are kept; 0: for ever")
	f.UintVar(&o.maxTxnOps, "max-txn-ops", 1024, "operations in one transaction")
	f.UintVar(&o.maxRequest, "max-request-bytes", 4<<20, "size of one request; the Admin API takes bodies of 1.5 MiB")
	o.client.flags(f, "", "clients")
	o.peer.flags(f, "peer-", "other members")
	f.StringVar(&o.logLevel, "log-level", "info", "debug, info, warn, error")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case f.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case o.name == "":
		return nil, errors.New("--name is required")
	case o.dataDir == "":
		return nil, errors.New("--data-dir is required")
	}
	if err := o.client.check("", o.listenClient); err != nil {
		return nil, err
	}
	return o, o.peer.check("peer-", o.listenPeer)
}

// config turns flags into etcd's configuration.
func (o *options) config() (*embed.Config, error) {
	cfg := embed.NewConfig()
	cfg.Name, cfg.Dir = o.name, o.dataDir
	lists := []struct {
		flag, value, def string
		to               *[]url.URL
	}{
		{"listen-client", o.listenClient, "", &cfg.ListenClientUrls},
		{"listen-peer", o.listenPeer, "", &cfg.ListenPeerUrls},
		{"advertise-client", o.advertiseClient, o.listenClient, &cfg.AdvertiseClientUrls},
		{"advertise-peer", o.advertisePeer, o.listenPeer, &cfg.AdvertisePeerUrls},
	}
	for _, l := range lists {
		if l.value == "" {
			l.value = l.def
		}
		urls, err := urls(l.value)
		if err != nil {
			return nil, fmt.Errorf("--%s: %w", l.flag, err)
		}
		*l.to = urls
	}
	client, peer := &cfg.ClientTLSInfo, &cfg.PeerTLSInfo
	client.CertFile, client.KeyFile, client.TrustedCAFile, client.ClientCertAuth = o.client.cert, o.client.key, o.client.ca, o.client.ca != ""
	peer.CertFile, peer.KeyFile, peer.TrustedCAFile, peer.ClientCertAuth = o.peer.cert, o.peer.key, o.peer.ca, o.peer.ca != ""
	cfg.InitialCluster = o.initialCluster
	if cfg.InitialCluster == "" {
		cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	}
	cfg.InitialClusterToken = o.token
	cfg.ClusterState = embed.ClusterStateFlagExisting
	if o.newCluster {
		cfg.ClusterState = embed.ClusterStateFlagNew
	}
	cfg.TickMs, cfg.ElectionMs = uint(o.heartbeat.Milliseconds()), uint(o.election.Milliseconds())
	cfg.QuotaBackendBytes = o.quota
	if o.retention > 0 {
		cfg.AutoCompactionMode = embed.CompactorModePeriodic
		cfg.AutoCompactionRetention = o.retention.String()
	}
	cfg.MaxTxnOps, cfg.MaxRequestBytes = o.maxTxnOps, o.maxRequest
	cfg.LogLevel = strings.ToLower(o.logLevel)
	cfg.LogOutputs = []string{"stderr"}
	cfg.LogFormat = "json"
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("configuration of etcd: %w", err)
	}
	return cfg, nil
}

func urls(list string) ([]url.URL, error) {
	var out []url.URL
	for text := range strings.SplitSeq(list, ",") {
		u, err := url.Parse(text)
		if err != nil {
			return nil, err
		}
		if u.Scheme != "http" && u.Scheme != "https" || u.Port() == "" {
			return nil, fmt.Errorf("%q: want a URL such as http://10.0.0.1:2379", text)
		}
		out = append(out, *u)
	}
	return out, nil
}
