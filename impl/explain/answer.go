package explain

import (
	"github.com/unilb/unilb/impl/health"
)

// An Answer is what would become of a request.
type Answer struct {
	Request Request `json:"request"`
	// Outcome says in one line how it ends.
	Outcome string `json:"outcome"`
	// Generated is what the gateway itself would answer; null: a target answers.
	Generated *Generated `json:"generated"`
	TLS       *TLS       `json:"tls,omitempty"`
	Route     *Route     `json:"route"` // null: none matches
	// Refused are the candidates that were looked at before the one that matches, in the
	// order of the search, and Behind those that would match or not if it were not there.
	Refused     []Candidate `json:"refused"`
	RefusedMore int         `json:"refused_more,omitempty"` // left out here
	Behind      []Candidate `json:"behind"`
	BehindMore  int         `json:"behind_more,omitempty"`
	// Disabled are routes of status 0 that would be on the way.
	Disabled     []Candidate `json:"disabled,omitempty"`
	DisabledMore int         `json:"disabled_more,omitempty"`
	// Asked is the account of the one route that the question names.
	Asked *Candidate `json:"asked,omitempty"`
	// Unusable are objects of which the newest version was refused, whatever it was for: the
	// request may have been meant for one. Routes, global rules, and with https ssls.
	Unusable     []Unusable `json:"unusable,omitempty"`
	UnusableMore int        `json:"unusable_more,omitempty"`
	// Plugins in the order in which they run.
	Plugins  []Plugin  `json:"plugins"`
	Upstream *Upstream `json:"upstream"` // null: there is none
	// Revision in force of each prefix, and of each object that is named above.
	Applied map[string]int64 `json:"applied"`
	Objects []Object         `json:"objects"`
	// Notes are what this account cannot know.
	Notes []string `json:"notes,omitempty"`
}

// Request is what routes are matched against, after everything that an engine does to a
// head.
type Request struct {
	Method    string `json:"method"`
	Scheme    string `json:"scheme"`
	Authority string `json:"authority"` // Host as it was sent
	Host      string `json:"host"`
	Target    string `json:"target"`
	Path      string `json:"path"`
	Query     string `json:"query,omitempty"`
	Remote    string `json:"remote,omitempty"`
	Local     string `json:"local,omitempty"`
	Consumer  string `json:"consumer,omitempty"`
}

// Generated is an answer that no target gives.
type Generated struct {
	Status int    `json:"status"`
	Why    string `json:"why"`
}

// TLS is what the handshake with the name would meet.
type TLS struct {
	SNI string `json:"sni"`
	SSL string `json:"ssl,omitempty"` // key of the ssl object; empty: no certificate, no handshake
	// Mutual: clients must show a certificate.
	Mutual bool `json:"mutual,omitempty"`
}

// Route is the route that matches.
type Route struct {
	Key      string `json:"key"`
	Name     string `json:"name,omitempty"`
	Host     string `json:"host,omitempty"` // what it was found by; empty: hosts did not count
	Path     string `json:"path"`
	Priority int64  `json:"priority"`
}

// Candidate is a path of another route.
type Candidate struct {
	Route
	Why string `json:"why,omitempty"` // what does not hold; empty: all conditions do
}

// Unusable is an object that was refused.
type Unusable struct {
	Key string `json:"key"`
	// Older: a version of before is in force.
	Older bool   `json:"older,omitempty"`
	Why   string `json:"why"`
}

// Plugin is one that runs, or would.
type Plugin struct {
	Name     string `json:"name"`
	Priority int    `json:"priority"`
	From     string `json:"from"` // key of the object
	Late     bool   `json:"late,omitempty"`
	// Runs is false for what this gateway cannot run. Guards: the route is closed then.
	Runs   bool `json:"runs"`
	Guards bool `json:"guards"`
}

// Upstream is what the route resolves to.
type Upstream struct {
	Key      string  `json:"key"` // of the object that holds it
	Type     string  `json:"type"`
	Scheme   string  `json:"scheme"`
	PassHost string  `json:"pass_host"`
	Connect  float64 `json:"connect_timeout"` // seconds
	Send     float64 `json:"send_timeout"`
	Read     float64 `json:"read_timeout"`
	Tries    int     `json:"tries"`
	// RetryTimeout bounds all tries together, in seconds; 0: nothing does.
	RetryTimeout float64  `json:"retry_timeout"`
	Websocket    bool     `json:"websocket"`
	Targets      []Target `json:"targets"`
	TargetsMore  int      `json:"targets_more,omitempty"`
	// Next are the addresses that would be tried, one after the other, for each event
	// loop: each has a position of its own. Absent: nobody serves here.
	Next [][]string `json:"next,omitempty"`
}

// Target is one node of an upstream.
type Target struct {
	Address  string       `json:"address"`
	Host     string       `json:"host"` // that the target sees
	Weight   int          `json:"weight"`
	Priority int          `json:"priority"`
	Zone     string       `json:"zone,omitempty"`
	Health   *health.View `json:"health,omitempty"` // absent: not checked
}

// Object is the version of one that is in force.
type Object struct {
	Key      string `json:"key"`
	Created  int64  `json:"created"`
	Modified int64  `json:"modified"`
	// Refused says why a newer version is not in force.
	Refused string `json:"refused,omitempty"`
	Missing bool   `json:"missing,omitempty"` // named, and not there
}
