package spec

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"
)

// DefaultTimeout is how long a case may take when it does not say otherwise,
// its set-up and removal not counted.
const DefaultTimeout = 30 * time.Second

// A Case is one statement about a gateway that can be false.
type Case struct {
	ID    string   // stable, never reused: "ROUTE-PREFIX-LONGEST"
	Title string   // one sentence that could be false
	Refs  []string // documents the statement comes from
	Level Level
	Needs []Feature    // what the gateway must claim; the first decides the profile
	Env   []Capability // what the place must offer
	After []string     // cases without which this one proves nothing

	// Objects is a txtar archive of Admin objects that are written, in order,
	// before Run and removed after it: file name "routes/{{.ID}}-a", content
	// JSON. Names and contents are templates over Vars.
	Objects  string
	Backends int           // echo backends to start before Objects are written
	Played   int           // listeners to open before Objects are written, for backends that Run plays itself
	Timeout  time.Duration // of Run; DefaultTimeout when 0
	Run      func(context.Context, *T)
}

// Vars are what templates of Objects may use.
type Vars struct {
	ID       string   // prefix of object ids of this run of the case
	Host     string   // a host name that no other case uses
	Backends []string // "address:port" of the started backends
	Played   []string // "address:port" of the listeners of Case.Played
}

var caseID = regexp.MustCompile(`^[A-Z][A-Z0-9]*(-[A-Z0-9]+)+$`)

// Validate says what is wrong with the declaration of a case.
func (c Case) Validate() error {
	switch {
	case !caseID.MatchString(c.ID):
		return fmt.Errorf("case %q: an id is words of capitals and digits joined by -", c.ID)
	case c.Title == "" || len(c.Refs) == 0 || c.Run == nil:
		return fmt.Errorf("case %s: want a title, at least one reference and a Run", c.ID)
	case c.Level != Must && c.Level != Should && c.Level != May:
		return fmt.Errorf("case %s: unknown level %q", c.ID, c.Level)
	case len(c.Needs) == 0:
		return fmt.Errorf("case %s: names no feature", c.ID)
	}
	return nil
}

// A Profile groups features. A case belongs to the profile that holds the first
// feature it needs.
type Profile struct {
	Name     string
	Core     []Feature // what every gateway must do
	Extended []Feature // what a gateway may claim
}

// Profiles are the profiles of this suite.
func Profiles() []Profile {
	return []Profile{
		{
			Name: "L7-ROUTING", Core: []Feature{RouteURI, RouteHost, RouteMethods, RoutePriority},
			Extended: []Feature{RouteVars, RouteRemoteAddr, RouteStatus, RouteReferences, RouteNormalPath, RouteStarInside, RouteVarsPCRE, RouteVarsBody, RouteAnswers, RoutePlugins},
		},
		{Name: "ROUTER-URI", Core: []Feature{RouterURI}},
		{Name: "ROUTER-PARAMETER", Core: []Feature{RouterParameter}},
		{
			Name: "L7-TRAFFIC", Core: []Feature{UpstreamWeights, UpstreamRetries, ProxyHeaders, ProxyBodies, ProxyKeepalive, ProxyTimeouts},
			Extended: []Feature{UpstreamRetryTimeout, ActiveChecks, PassiveChecks, UpstreamChash, UpstreamLeastConn, UpstreamPriority, UpstreamPassHost, ProxyStreaming, ProxyInterim},
		},
		{Name: "BEHIND-PROXY", Core: []Feature{ProxyRealIP}, Extended: []Feature{ProxyTrusted}},
		{
			Name: "L7-RELOAD", Core: []Feature{HotConfig},
			Extended: []Feature{GatewayDrain, GatewayReload, GatewayRestart, HotHealth, InvalidIsolation},
		},
		{
			Name: "L7-PROTOCOL", Core: []Feature{H1Framing, H1Syntax, H1Connection},
			Extended: []Feature{H1Limits, H1Expect, H1Trailers, WebSocket, HTTP2, HTTP2Clear},
		},
		{Name: "TLS", Core: []Feature{TLSSNI, TLSVersions}, Extended: []Feature{TLSPairs, TLSHot, TLSALPN, TLSClientAuth, TLSObjects, TLSUpstream, TLSStapling, TLSSecrets}},
		{
			Name: "ADMIN-APISIX", Core: []Feature{AdminCRUD},
			Extended: []Feature{AdminPatch, AdminReferences, AdminList, AdminSSL, AdminSchema, AdminKinds, AdminTexts, AdminCredentials, AdminSecrets, AdminProtos, AdminStreams, AdminPlugins, AdminConfigs, AdminViewer, AdminIfMatch, AdminWait, AdminTLS},
		},
		{Name: "ADMIN-STANDALONE", Core: []Feature{AdminStandalone}},
		{Name: "ADMIN-NO-STREAMS", Core: []Feature{AdminStreamsOff}},
		{Name: "CONTROL-APISIX", Core: []Feature{ControlObjects}, Extended: []Feature{ControlHealth, ControlExplain}},
		{Name: "VPC-DATAPATH", Core: []Feature{ListenerBinding, VPCTargets}},
		{Name: "L4-FAILOVER", Core: []Feature{L4Spread, L4Failover}},
		{Name: "HA", Core: []Feature{HAStore, HAControl, HAAgent}, Extended: []Feature{HALastGood, HADrift}},
	}
}

// Features are the features that profiles hold: all that a gateway can claim.
func Features() []Feature {
	var out []Feature
	for _, p := range Profiles() {
		out = append(append(out, p.Core...), p.Extended...)
	}
	return out
}

// ProfileOf is the name of the profile that a case belongs to; empty when there
// is none.
func ProfileOf(c Case) string {
	if len(c.Needs) == 0 {
		return ""
	}
	for _, p := range Profiles() {
		if slices.Contains(p.Core, c.Needs[0]) || slices.Contains(p.Extended, c.Needs[0]) {
			return p.Name
		}
	}
	return ""
}

// Blocking says whether a case decides the blocking part of a verdict: it is about
// a core feature of its profile. What a gateway may claim or leave is no reason to
// wait.
func Blocking(c Case) bool {
	for _, p := range Profiles() {
		if len(c.Needs) > 0 && slices.Contains(p.Core, c.Needs[0]) {
			return true
		}
	}
	return false
}

// A Result is what became of a case or of a scenario.
type Result struct {
	Case     string        `yaml:"id" json:"id" required:"true"`
	Title    string        `yaml:"title" json:"title" required:"true"`
	Level    Level         `yaml:"level" json:"level" enum:"must,should,may"`
	Profile  string        `yaml:"profile,omitempty" json:"profile,omitempty"`
	Feature  Feature       `yaml:"feature,omitempty" json:"feature,omitempty"`
	Blocking bool          `yaml:"blocking,omitempty" json:"blocking,omitempty"` // part of what a release waits for
	Refs     []string      `yaml:"refs,omitempty" json:"refs,omitempty"`
	State    State         `yaml:"state" json:"state" required:"true" enum:"pass,fail,warn,skip,unsupported,unproven,unknown,broken"`
	Reason   *Reason       `yaml:"reason,omitempty" json:"reason,omitempty"`
	Took     time.Duration `yaml:"took" json:"took"` // with its set-up and removal; the mean of several runs

	Runs       int         `yaml:"runs,omitempty" json:"runs,omitempty"`             // how often it ran, when more than once
	Passed     int         `yaml:"passed,omitempty" json:"passed,omitempty"`         // in how many of these it passed
	Flaky      bool        `yaml:"flaky,omitempty" json:"flaky,omitempty"`           // it passed in some of these, and in some not
	Quarantine *Quarantine `yaml:"quarantine,omitempty" json:"quarantine,omitempty"` // known to be unreliable: it does not block
	// Challenge is what became of a case that the gateway does not claim, and that
	// ran nevertheless. It never counts.
	Challenge State `yaml:"challenge,omitempty" json:"challenge,omitempty" enum:"pass,fail,warn,skip,unsupported,unproven,unknown,broken"`

	Says     []string `yaml:"says,omitempty" json:"says,omitempty"`         // what failed, one line each
	Story    []string `yaml:"story,omitempty" json:"story,omitempty"`       // steps and log lines, kept when not passed; what a scenario measured, always
	Evidence []string `yaml:"evidence,omitempty" json:"evidence,omitempty"` // files and op ids
	Rerun    string   `yaml:"rerun,omitempty" json:"rerun,omitempty"`
}

// A Quarantine says why a case does not block, and until when.
type Quarantine struct {
	Reason  string `yaml:"reason" json:"reason" required:"true"`
	Since   string `yaml:"since" json:"since" required:"true"`     // a day, 2026-03-02
	Expires string `yaml:"expires" json:"expires" required:"true"` // the last day on which it holds
}

// Counts says in which column of a summary the result belongs. What a case in
// quarantine says is shown, but it accuses nobody.
func (r Result) Counts() Column {
	if r.Quarantine != nil && r.State.Counts() == Failed {
		return Skipped
	}
	return r.State.Counts()
}
