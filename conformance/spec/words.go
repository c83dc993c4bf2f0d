package spec

// A Feature is something a gateway may claim. Names are stable.
type Feature string

// The features that cases ask for, by profile. One that says "an extension" is
// more than APISIX 3.18 has.
const (
	// L7-ROUTING
	RouteURI        Feature = "route.uri"
	RouteHost       Feature = "route.host"
	RouteMethods    Feature = "route.methods"
	RoutePriority   Feature = "route.priority"
	RouteVars       Feature = "route.vars"
	RouteRemoteAddr Feature = "route.remote-addr"
	RouteStatus     Feature = "route.status"
	RouteReferences Feature = "route.references"  // services and upstreams by id
	RouteNormalPath Feature = "route.normal-path" // paths are decoded and resolved before they are matched
	RouteStarInside Feature = "route.star-inside" // a star that is not the end of a path
	RouteVarsPCRE   Feature = "route.vars-pcre"   // patterns of vars may look ahead and behind
	RouteVarsBody   Feature = "route.vars-body"   // vars may ask for what is in the body: forms, JSON, GraphQL
	RouteAnswers    Feature = "route.answers"     // what the gateway itself says, in APISIX's words
	RoutePlugins    Feature = "route.plugins"     // they are run, or nobody passes what they guard

	// ROUTER-URI and ROUTER-PARAMETER: routers that look for the path first. Whoever
	// claims one has methods, priorities and vars; of RouteHost and RouteURI each has a
	// part only.
	RouterURI       Feature = "router.uri"       // APISIX's radixtree_uri
	RouterParameter Feature = "router.parameter" // APISIX's radixtree_uri_with_parameter

	// L7-TRAFFIC
	UpstreamWeights      Feature = "upstream.roundrobin"
	UpstreamRetries      Feature = "upstream.retries"
	UpstreamRetryTimeout Feature = "upstream.retry-timeout"
	UpstreamChash        Feature = "upstream.chash"
	UpstreamLeastConn    Feature = "upstream.least-conn"
	UpstreamPriority     Feature = "upstream.priority" // of nodes
	UpstreamPassHost     Feature = "upstream.pass-host"
	ActiveChecks         Feature = "upstream.checks.active"
	PassiveChecks        Feature = "upstream.checks.passive"
	ProxyHeaders         Feature = "proxy.headers"
	ProxyBodies          Feature = "proxy.bodies"
	ProxyKeepalive       Feature = "proxy.keepalive"
	ProxyTimeouts        Feature = "proxy.timeouts"
	ProxyStreaming       Feature = "proxy.streaming" // bodies pass before they have ended
	ProxyInterim         Feature = "proxy.interim"   // responses of class 1xx reach the client

	// BEHIND-PROXY: what a gateway believes that was told which proxies are before it.
	// Whoever claims one has remote addresses and vars in routes.
	ProxyRealIP  Feature = "proxy.real-ip" // X-Real-IP of believed proxies
	ProxyTrusted Feature = "proxy.trusted" // X-Forwarded-* and Forwarded of trusted proxies

	// L7-RELOAD
	HotConfig        Feature = "config.hot"
	GatewayDrain     Feature = "gateway.drain"
	GatewayReload    Feature = "gateway.reload"
	GatewayRestart   Feature = "gateway.restart"             // a new process takes over from the old one
	HotHealth        Feature = "config.keeps-health"         // what is known of targets outlives an edit
	InvalidIsolation Feature = "config.invalid-object-alone" // in the store; others come into force

	// L7-PROTOCOL
	H1Framing    Feature = "http1.framing"
	H1Syntax     Feature = "http1.syntax"
	H1Connection Feature = "http1.connection"
	H1Limits     Feature = "http1.limits"
	H1Expect     Feature = "http1.expect"
	H1Trailers   Feature = "http1.trailers"
	WebSocket    Feature = "websocket"
	HTTP2        Feature = "http2"       // with TLS
	HTTP2Clear   Feature = "http2.clear" // without TLS, from clients that begin with its preface

	// TLS
	TLSSNI        Feature = "tls.sni"
	TLSVersions   Feature = "tls.versions"
	TLSPairs      Feature = "tls.pairs" // certificates of several algorithms for one name
	TLSHot        Feature = "tls.hot"   // certificates change without losing a connection
	TLSALPN       Feature = "tls.alpn-h2"
	TLSClientAuth Feature = "tls.client-auth"
	TLSObjects    Feature = "tls.objects"  // what else an ssl object says: status, type, versions
	TLSUpstream   Feature = "tls.upstream" // to targets
	TLSStapling   Feature = "tls.ocsp"     // what OCSP responders say is stapled
	TLSSecrets    Feature = "tls.secrets"  // certificates and keys that Vault or the environment keep

	// ADMIN-APISIX
	AdminCRUD        Feature = "admin.crud"
	AdminPatch       Feature = "admin.patch"
	AdminReferences  Feature = "admin.references"
	AdminList        Feature = "admin.list" // paging and filters
	AdminSSL         Feature = "admin.ssl"
	AdminSchema      Feature = "admin.schema"
	AdminKinds       Feature = "admin.kinds"       // consumers, plugin configs, consumer groups, global rules
	AdminTexts       Feature = "admin.texts"       // objects are refused in APISIX's words
	AdminCredentials Feature = "admin.credentials" // of consumers, below them
	AdminSecrets     Feature = "admin.secrets"     // managers of secrets
	AdminProtos      Feature = "admin.protos"
	AdminStreams     Feature = "admin.streams"  // routes of connections
	AdminPlugins     Feature = "admin.plugins"  // the catalogue of plugins
	AdminConfigs     Feature = "admin.configs"  // whole configurations are checked
	AdminViewer      Feature = "admin.viewer"   // a key that may only read
	AdminIfMatch     Feature = "admin.if-match" // an extension: APISIX 3.18 ignores If-Match
	AdminWait        Feature = "admin.wait"     // an extension: a write is answered when all gateways serve it

	AdminTLS Feature = "admin.tls" // on a second port, to who shows a certificate

	// ADMIN-STANDALONE and ADMIN-NO-STREAMS: Admin APIs that were started otherwise.
	AdminStandalone Feature = "admin.standalone"  // whole configurations are all that the Admin API takes
	AdminStreamsOff Feature = "admin.streams-off" // gateways route no connections, and the Admin API says so

	// CONTROL-APISIX
	ControlObjects Feature = "control.objects" // what a gateway has in force, and schemas
	ControlHealth  Feature = "control.health"  // how targets are that are checked
	ControlExplain Feature = "control.explain" // an extension: what would become of a request

	// VPC-DATAPATH
	ListenerBinding Feature = "listener.eip" // an extension: a route belongs to one address and port
	VPCTargets      Feature = "vpc.fnat"     // an extension: targets in overlapping networks

	// L4-FAILOVER
	L4Spread   Feature = "l4.spread"   // connections to an EIP spread over gateways and stay where they are
	L4Failover Feature = "l4.failover" // a gateway that dies, freezes or drains is left out

	// HA
	HAStore   Feature = "ha.store"   // traffic goes on while the store is away
	HAControl Feature = "ha.control" // edits go on while one of the control plane is away
	HAAgent   Feature = "ha.agent"   // forwarding outlives its agent
	// HALastGood: a gateway starts without its store.
	HALastGood Feature = "ha.last-good"
	// HADrift: who serves something else than others at the same revision is named. An
	// extension.
	HADrift Feature = "ha.drift"
)

// A Capability is something the machine or the lab must offer.
type Capability string

// The capabilities that cases ask for.
const (
	NetNS  Capability = "netns"
	EBPF   Capability = "ebpf"
	Region Capability = "region" // lbc-api, L4 and EIPs
	VPC    Capability = "vpc"    // guests of two networks with equal addresses
	Faults Capability = "faults" // Env.Inject works
	// Control says that Env.Drain and Env.Restart work: the testbed owns the
	// gateway's processes.
	Control Capability = "control"
	TLS     Capability = "tls" // gateways have an address for TLS
	// Proxy says that there is a client which gateways can be told is a proxy, beside
	// one that is none.
	Proxy Capability = "proxy"
)

// A Level says how binding a case is.
type Level string

// The levels, as in RFC 2119.
const (
	Must   Level = "must"
	Should Level = "should"
	May    Level = "may"
)

// A State is what became of a case. The zero value is not a result and counts
// as Broken.
type State string

// The states.
const (
	Pass        State = "pass"
	Fail        State = "fail"
	Warn        State = "warn"        // a Should or May case that is not met
	Skip        State = "skip"        // the machine cannot, or somebody excluded it
	Unsupported State = "unsupported" // the gateway does not claim the feature
	Unproven    State = "unproven"    // a case that it builds on did not pass
	Unknown     State = "unknown"     // too little evidence
	Broken      State = "broken"      // our set-up or harness failed
)

// Counts says in which column of a summary a state belongs.
func (s State) Counts() Column {
	switch s {
	case Pass, Warn:
		return Passed
	case Skip, Unsupported:
		return Skipped
	}
	return Failed
}

// A Column is one of the three numbers of a summary. The zero value is Failed.
type Column int

// The columns.
const (
	Failed Column = iota
	Passed
	Skipped
)

// A Reason says why a case was not decided. The list is closed.
type Reason struct {
	Code   ReasonCode   `yaml:"code" json:"code" required:"true" enum:"unclaimed,machine,after,excluded,timeout,interrupted"`
	Lacks  []Capability `yaml:"lacks,omitempty" json:"lacks,omitempty"`   // machine
	Needs  []Feature    `yaml:"needs,omitempty" json:"needs,omitempty"`   // unclaimed
	Case   string       `yaml:"case,omitempty" json:"case,omitempty"`     // after
	Ticket string       `yaml:"ticket,omitempty" json:"ticket,omitempty"` // excluded
}

// A ReasonCode is why a case was not decided.
type ReasonCode string

// The reasons.
const (
	Unclaimed ReasonCode = "unclaimed"
	Machine   ReasonCode = "machine"
	After     ReasonCode = "after"
	Excluded  ReasonCode = "excluded"
	Timeout   ReasonCode = "timeout"
	// Interrupted: somebody ended the run while the case ran, or before it.
	Interrupted ReasonCode = "interrupted"
)
