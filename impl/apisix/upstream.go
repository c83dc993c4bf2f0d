package apisix

import (
	"crypto/tls"
	"encoding/json"
)

// An Upstream is a set of nodes and how to use them.
type Upstream struct {
	ID      string // "" for an inline upstream
	Nodes   []Node // nil when the nodes come from discovery
	Type    string // roundrobin (default), chash, ewma, least_conn
	HashOn  string // vars (default), header, cookie, consumer, vars_combinations
	Key     string
	Retries *int // extra tries; nil: one less than there are nodes
	// RetryTimeout bounds all tries together, in seconds; 0: unlimited.
	RetryTimeout  float64
	Timeout       *Timeout // nil: 60 s each
	Scheme        string   // http (default), https, grpc, grpcs, tcp, tls, udp, kafka
	PassHost      string   // pass (default), node, rewrite
	UpstreamHost  string   // the Host header when PassHost is rewrite
	TLS           *UpstreamTLS
	KeepalivePool *KeepalivePool
	Checks        *Checks

	ServiceName, DiscoveryType string
	DiscoveryArgs              json.RawMessage
}

// A Node is one target of an upstream.
type Node struct {
	Host     string // name or address; IPv6 without brackets
	Port     int    // 0: the default port of the upstream's scheme
	Weight   int    // 0: no traffic
	Priority int    // higher ones are used first
	Metadata json.RawMessage
}

// A Timeout holds seconds; all three are greater than 0.
type Timeout struct{ Connect, Send, Read float64 }

// UpstreamTLS is how the gateway identifies itself and its upstream.
type UpstreamTLS struct {
	// Client is the certificate to show; nil: none, that of ClientCertID, or one of which
	// a half is a reference to a secret (see Filled).
	Client       *tls.Certificate
	ClientCertID string // an ssl object of the type client
	Verify       bool
}

// A KeepalivePool bounds the idle connections to one upstream.
type KeepalivePool struct {
	Size        int     // connections; default 320
	IdleTimeout float64 // seconds; default 60
	Requests    int     // per connection; default 1000
}

// DecodeUpstream reads the value of an upstream, as DecodeRoute does for routes.
func DecodeUpstream(id string, b []byte) (*Upstream, error) {
	o, err := Parse(b)
	if err != nil {
		return nil, err
	}
	if err := o.CheckUpstream(); err != nil {
		return nil, err
	}
	return upstreamOf(id, o.tree, textOf(b))
}

// upstreamOf builds an upstream from a validated tree; raw is the same object as
// text, which still has the order of the nodes.
func upstreamOf(id string, t map[string]any, raw string) (*Upstream, error) {
	u := &Upstream{
		ID: id, Type: str(t, "type", "roundrobin"), HashOn: str(t, "hash_on", "vars"), Key: str(t, "key", ""),
		Retries: optInt(t, "retries"), RetryTimeout: number(t, "retry_timeout", 0), Timeout: timeout(t, "timeout"),
		Scheme: str(t, "scheme", "http"), PassHost: str(t, "pass_host", "pass"), UpstreamHost: str(t, "upstream_host", ""),
		Checks:      checksOf(t),
		ServiceName: str(t, "service_name", ""), DiscoveryType: str(t, "discovery_type", ""), DiscoveryArgs: raws(t, "discovery_args"),
	}
	var err error
	if u.TLS, err = upstreamTLSOf(t); err != nil {
		return nil, err
	}
	if p, ok := t["keepalive_pool"].(map[string]any); ok {
		u.KeepalivePool = &KeepalivePool{
			Size: int(integer(p, "size", 320)), IdleTimeout: number(p, "idle_timeout", 60),
			Requests: int(integer(p, "requests", 1000)),
		}
	}
	u.Nodes, err = nodesOf(t["nodes"], raw)
	return u, err
}

func upstreamTLSOf(t map[string]any) (*UpstreamTLS, error) {
	m, ok := t["tls"].(map[string]any)
	if !ok {
		return nil, nil
	}
	u := &UpstreamTLS{ClientCertID: idOf(m, "client_cert_id"), Verify: boolean(m, "verify", false)}
	cert, key := str(m, "client_cert", ""), str(m, "client_key", "")
	if cert == "" || isReference(cert) || isReference(key) {
		return u, nil
	}
	pair, err := parsePair(cert, key)
	if err != nil {
		return nil, err
	}
	u.Client = &pair
	return u, nil
}
