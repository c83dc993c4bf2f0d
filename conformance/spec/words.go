package spec

// A Feature is something a gateway may claim. Names are stable.
type Feature string

// The features that cases ask for.
const (
	RouteURI        Feature = "route.uri"
	RouteHost       Feature = "route.host"
	RouteMethods    Feature = "route.methods"
	UpstreamWeights Feature = "upstream.roundrobin"
	UpstreamRetries Feature = "upstream.retries"
	ActiveChecks    Feature = "upstream.checks.active"
	ProxyHeaders    Feature = "proxy.headers"
	ProxyBodies     Feature = "proxy.bodies"
	AdminCRUD       Feature = "admin.crud"
	AdminIfMatch    Feature = "admin.if-match" // an extension: APISIX 3.18 ignores If-Match
	HotConfig       Feature = "config.hot"
	ListenerBinding Feature = "listener.eip" // an extension: a route belongs to one address and port
	VPCTargets      Feature = "vpc.fnat"     // an extension: targets in overlapping networks
)

// A Capability is something the machine or the lab must offer.
type Capability string

// The capabilities that cases ask for.
const (
	NetNS  Capability = "netns"
	EBPF   Capability = "ebpf"
	Region Capability = "region" // lbc-api, L4 and EIPs
	VPC    Capability = "vpc"    // guests of two networks with equal addresses
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
	Code   ReasonCode   `yaml:"code" json:"code"`
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
