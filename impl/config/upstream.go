package config

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/balance"
	"github.com/unilb/unilb/impl/exchange"
)

// Upstream is a compiled upstream, inline or an object of its own.
type Upstream struct {
	// Key names it among all upstreams: "upstreams/1", "routes/1", "services/1".
	Key string
	*Manner
	Targets []Target
	// Members are the targets as the balancer sees them, in the same order.
	Members []balance.Member
	// Tries is how often one request may be tried, from 1 to maxTries.
	Tries int
	// RetryTimeout bounds all tries of a request together; 0: no bound.
	RetryTimeout time.Duration
	Timeouts     Timeouts
	// useless is why no request can be sent to it, though APISIX takes the object; nil:
	// it can.
	useless *MissingError
}

// Manner is how an upstream is used; those of most are the same, and then there is one.
// It must not be changed.
type Manner struct {
	Type     string // how a target is chosen, such as roundrobin
	Scheme   string // http, https, grpc, grpcs
	PassHost string // pass, node, rewrite
	// UpstreamHost is the Host when PassHost is rewrite.
	UpstreamHost string
	TLS          *apisix.UpstreamTLS // nil: nothing is said of it
	Checks       *apisix.Checks      // nil: nobody looks after its targets
}

// alike are the members of nearly all upstreams.
var alike = slices.Repeat([]balance.Member{{Weight: 1}}, maxTries)

func membersOf(nodes []apisix.Node) []balance.Member {
	own := func(n apisix.Node) bool { return n.Weight != 1 || n.Priority != 0 }
	if len(nodes) <= len(alike) && !slices.ContainsFunc(nodes, own) {
		return alike[:len(nodes):len(nodes)]
	}
	members := make([]balance.Member, len(nodes))
	for i := range nodes {
		members[i] = balance.Member{Weight: nodes[i].Weight, Priority: nodes[i].Priority}
	}
	return members
}

// usual are the manners that hardly any upstream departs from.
var usual = func() (all []*Manner) {
	for scheme := range schemes {
		for _, host := range []string{"pass", "node"} {
			all = append(all, &Manner{Type: "roundrobin", Scheme: scheme, PassHost: host})
		}
	}
	return all
}()

func mannerOf(spec *apisix.Upstream) *Manner {
	m := Manner{spec.Type, spec.Scheme, spec.PassHost, spec.UpstreamHost, spec.TLS, spec.Checks}
	for _, u := range usual {
		if *u == m {
			return u
		}
	}
	own := m // m itself stays on the stack
	return &own
}

// Timeouts of one try.
type Timeouts struct{ Connect, Send, Read time.Duration }

// Target is one node of an upstream.
type Target struct {
	exchange.Target
	Host string // as written in the node
	Port int
	// HostHeader is the Host for pass_host "node": the port only when it is
	// not the scheme's own.
	HostHeader string
	Zone       string
}

// scheme is what a scheme of targets means.
type scheme struct {
	tls, http2 bool
	port       int // of its own
}

// schemes are those of HTTP. (tcp, tls and udp are of streams, kafka is of one plugin.)
var schemes = map[string]scheme{
	"http":  {port: 80},
	"https": {port: 443, tls: true},
	"grpc":  {port: 80, http2: true},
	"grpcs": {port: 443, tls: true, http2: true},
}

// secure tells whether the targets speak TLS.
func (u *Upstream) secure() bool { return schemes[u.Scheme].tls }

// maxTries bounds the tries of one request, the first included. APISIX tries as
// often as an object says, and by default every node; but one request to an
// upstream that is down must not become thousands of connections.
const maxTries = 16

const defaultTimeout = 60 * time.Second

// metadata is what we keep in nodes[].metadata.
type metadata struct {
	Unilb struct {
		Generation int64  `json:"generation"`
		Zone       string `json:"zone"`
	} `json:"unilb"`
}

func compileUpstream(key string, spec *apisix.Upstream) (*Upstream, error) {
	how, known := schemes[spec.Scheme]
	switch {
	case notYet[spec.Type]:
		return nil, Unsupported("upstream type " + spec.Type)
	case !known:
		return nil, Unsupported("upstream scheme " + spec.Scheme)
	case discoveries[spec.DiscoveryType]:
		return nil, Unsupported("service discovery")
	}
	u := &Upstream{Key: key, Manner: mannerOf(spec), RetryTimeout: seconds(spec.RetryTimeout), Timeouts: timeouts(spec.Timeout), useless: useless(spec)}
	u.Targets, u.Members = make([]Target, 0, len(spec.Nodes)), membersOf(spec.Nodes)
	for _, n := range spec.Nodes {
		t, err := compileTarget(spec, how, n)
		if err != nil {
			return nil, err
		}
		u.Targets = append(u.Targets, t)
	}
	retries := len(u.Targets) - 1
	if spec.Retries != nil {
		retries = *spec.Retries
	}
	u.Tries = 1 + min(max(0, retries), maxTries-1)
	return u, nil
}

// notYet are the algorithms of APISIX that we lack, discoveries its registries of
// services. Other names stand for code of the user's own, which APISIX looks for when a
// request comes.
var (
	notYet      = map[string]bool{"chash": true, "ewma": true, "least_conn": true}
	discoveries = map[string]bool{"dns": true, "eureka": true, "nacos": true, "consul": true, "consul_kv": true, "kubernetes": true, "tars": true}
)

func useless(spec *apisix.Upstream) *MissingError {
	switch {
	case spec.DiscoveryType != "":
		return &MissingError{MissingDiscovery, spec.DiscoveryType}
	case spec.Type != "roundrobin":
		return &MissingError{MissingBalancer, spec.Type}
	}
	return nil
}

func compileTarget(spec *apisix.Upstream, how scheme, n apisix.Node) (Target, error) {
	var meta metadata
	if len(n.Metadata) > 0 {
		if err := json.Unmarshal(n.Metadata, &meta); err != nil {
			return Target{}, fmt.Errorf("metadata of node %s: %w", n.Host, err)
		}
	}
	port := n.Port
	if port == 0 {
		port = how.port
	}
	address := hostOnly(n.Host) + ":" + strconv.Itoa(port)
	t := Target{Host: n.Host, Port: port, HostHeader: address, Zone: meta.Unilb.Zone}
	if port == how.port {
		t.HostHeader = hostOnly(n.Host)
	}
	t.Name = address
	t.Pool = exchange.Pool{
		Address: address, Generation: meta.Unilb.Generation, TLS: how.tls, HTTP2: how.http2,
		IdleConns: 320, IdleTimeout: defaultTimeout,
	}
	if k := spec.KeepalivePool; k != nil {
		t.Pool.IdleConns, t.Pool.IdleTimeout = k.Size, seconds(k.IdleTimeout)
	}
	if t.Pool.TLS {
		t.Pool.Verify = spec.TLS != nil && spec.TLS.Verify
	}
	return t, nil
}

// hostOnly is the host as it stands in a Host field: IPv6 in brackets.
func hostOnly(host string) string {
	if a, err := netip.ParseAddr(host); err == nil && a.Is6() {
		return "[" + host + "]"
	}
	return host
}

func timeouts(t *apisix.Timeout) Timeouts {
	if t == nil {
		return Timeouts{defaultTimeout, defaultTimeout, defaultTimeout}
	}
	return Timeouts{seconds(t.Connect), seconds(t.Send), seconds(t.Read)}
}

// seconds converts, and saturates where a duration ends (292 years).
func seconds(s float64) time.Duration {
	if s >= float64(1<<63-1)/float64(time.Second) {
		return 1<<63 - 1
	}
	return time.Duration(s * float64(time.Second))
}

func decodeUpstream(c *Change) (*Upstream, error) {
	spec, err := apisix.DecodeUpstream(c.ID, c.Value)
	if err != nil {
		return nil, err
	}
	return compileUpstream(c.name("upstreams/"), spec)
}
