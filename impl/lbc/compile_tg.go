package lbc

import (
	"slices"

	"github.com/unilb/unilb/impl/vpc"
)

// ownerLabel marks what we own below the APISIX prefix.
const (
	ownerLabel  = "unilb.owner"
	ownerValue  = "lbc"
	tenantLabel = "unilb.tenant"
	idPrefix    = "lbc."
)

// The types below are what we write of APISIX's upstream object.
type apiUpstream struct {
	Name   string            `json:"name"`
	Type   string            `json:"type"`
	Scheme string            `json:"scheme"`
	Nodes  []apiNode         `json:"nodes"`
	Checks *apiChecks        `json:"checks,omitempty"`
	Labels map[string]string `json:"labels"`
}

type apiNode struct {
	Host     string       `json:"host"`
	Port     uint16       `json:"port"`
	Weight   int          `json:"weight"`
	Metadata *apiMetadata `json:"metadata,omitempty"`
}

type apiMetadata struct {
	Unilb nodeIdentity `json:"unilb"`
}

// nodeIdentity tells the gateway whose address this is now: pools, probes and
// health of one generation are never used for another.
type nodeIdentity struct {
	Zone       string `json:"zone,omitempty"`
	Generation uint64 `json:"generation"`
}

type apiChecks struct {
	Active apiActive `json:"active"`
}

type apiActive struct {
	Type      string       `json:"type"`
	Timeout   int          `json:"timeout"`
	HTTPPath  string       `json:"http_path,omitempty"`
	Healthy   apiHealthy   `json:"healthy"`
	Unhealthy apiUnhealthy `json:"unhealthy"`
}

type apiHealthy struct {
	Interval  int `json:"interval"`
	Successes int `json:"successes"`
}

// apiUnhealthy gives every way to fail the same count: a tenant's "fall" is a
// number of probes, however they failed.
type apiUnhealthy struct {
	Interval     int `json:"interval"`
	HTTPFailures int `json:"http_failures,omitempty"`
	TCPFailures  int `json:"tcp_failures"`
	Timeouts     int `json:"timeouts"`
}

func upstreamID(tg string) string  { return idPrefix + tg }
func upstreamKey(tg string) string { return dirUpstreams + "/" + upstreamID(tg) }

// compileUpstream compiles a target group. Targets in a VPC that have no unique
// IP yet are left out and returned as missing. zones is the zone of each host.
func (m *Model) compileUpstream(g *TargetGroup, zones map[string]string) (Object, []vpc.Owner) {
	u := apiUpstream{
		Name: g.ID, Type: "roundrobin", Scheme: "http", Nodes: []apiNode{},
		Labels: map[string]string{ownerLabel: ownerValue, tenantLabel: g.Tenant},
	}
	var missing []vpc.Owner
	for _, t := range g.Targets {
		n := apiNode{Host: t.IP.String(), Port: t.Port, Weight: 1}
		if t.Weight != nil {
			n.Weight = *t.Weight
		}
		if g.VPC != "" {
			owner, _ := m.owner(g, t.IP)
			a, ok := m.table.Find(owner)
			if !ok || a.State != vpc.Active {
				if !slices.Contains(missing, owner) {
					missing = append(missing, owner)
				}
				continue
			}
			n.Host = a.UniqueIP.String()
			n.Metadata = &apiMetadata{nodeIdentity{Generation: a.Generation}}
			if p, ok := m.port(owner); ok {
				n.Metadata.Unilb.Zone = zones[p.Host]
			}
		}
		u.Nodes = append(u.Nodes, n)
	}
	if g.HealthCheck != nil {
		u.Checks = compileCheck(g.HealthCheck)
	}
	return encode(upstreamKey(g.ID), u), missing
}

func compileCheck(h *HealthCheck) *apiChecks {
	c := apiActive{
		Type: h.Type, Timeout: h.Timeout, HTTPPath: h.Path,
		Healthy:   apiHealthy{Interval: h.Interval, Successes: h.Rise},
		Unhealthy: apiUnhealthy{Interval: h.Interval, TCPFailures: h.Fall, Timeouts: h.Fall},
	}
	if h.Type == "http" {
		c.Unhealthy.HTTPFailures = h.Fall
	}
	return &apiChecks{Active: c}
}
