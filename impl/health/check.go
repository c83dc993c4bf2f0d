package health

import (
	"encoding/json"
	"time"

	"github.com/unilb/unilb/impl/apisix"
)

// Check is a compiled active check. It is immutable.
type Check struct {
	Type    string // http, https, tcp
	Timeout time.Duration
	// Concurrency bounds the probes of one upstream in flight.
	Concurrency int
	Host        string // Host header
	Port        int    // 0: the target's
	Method      string
	Path        string
	Body        string
	Headers     []string // "Name: value"
	VerifyTLS   bool

	HealthyInterval, UnhealthyInterval time.Duration
	HealthyStatuses, UnhealthyStatuses []int
	Limits                             Limits

	id string // everything above, as a key
}

// NewCheck compiles a check. host is the Host header of its probes.
func NewCheck(a *apisix.ActiveCheck, host string) *Check {
	c := &Check{
		Type: a.Type, Timeout: seconds(a.Timeout), Concurrency: max(1, a.Concurrency),
		Host: host, Port: a.Port, Method: a.HTTPMethod, Path: a.HTTPPath, Body: a.HTTPReqBody,
		Headers: a.ReqHeaders, VerifyTLS: a.HTTPSVerifyCertificate,
		HealthyInterval:   seconds(float64(a.Healthy.Interval)),
		UnhealthyInterval: seconds(float64(a.Unhealthy.Interval)),
		HealthyStatuses:   a.Healthy.HTTPStatuses, UnhealthyStatuses: a.Unhealthy.HTTPStatuses,
		Limits: Limits{a.Healthy.Successes, a.Unhealthy.HTTPFailures, a.Unhealthy.TCPFailures, a.Unhealthy.Timeouts},
	}
	id, err := json.Marshal(c)
	if err != nil {
		panic("health: a struct of plain fields must marshal: " + err.Error())
	}
	c.id = string(id)
	return c
}

// seconds converts, and saturates where a duration ends (292 years): objects
// may hold any number, and one that wraps would mean "at once".
func seconds(s float64) time.Duration {
	if s >= float64(1<<63-1)/float64(time.Second) {
		return 1<<63 - 1
	}
	return time.Duration(s * float64(time.Second))
}

// Key is everything that makes a state the state of this and no other target.
type Key struct {
	Host       string
	Generation int64
	Port       int
	check      string
}

// Subject is what a Check is made for: one target of an upstream.
type Subject struct {
	Host       string // address, or a name to resolve
	Generation int64
	Port       int
	Check      *Check
}

// key holds the target's own port, also when the check asks another one: two
// targets of one address are two targets.
func (s Subject) key() Key { return Key{s.Host, s.Generation, s.Port, s.Check.id} }

// portOf is where a target is probed.
func (c *Check) portOf(target int) int {
	if c.Port != 0 {
		return c.Port
	}
	return target
}
