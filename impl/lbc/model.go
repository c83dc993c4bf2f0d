package lbc

import (
	"net/netip"

	"github.com/unilb/unilb/impl/vpc"
)

// A VPC is a tenant's network, as tenants write it.
type VPC struct {
	ID   string       `json:"id"`
	VNI  uint32       `json:"vni"`
	CIDR netip.Prefix `json:"cidr"`
}

// A Port is a guest's interface, as the compute platform registers it. Its
// address is in the path; the VNI is that of its VPC.
type Port struct {
	ID     string     `json:"id"` // the address
	MAC    vpc.MAC    `json:"mac"`
	Host   string     `json:"host"`
	VTEP   netip.Addr `json:"vtep"`
	Ifname string     `json:"ifname"`
}

// A LoadBalancer is an address with listeners. Load balancers may share an
// address as long as no two claim the same port of it.
type LoadBalancer struct {
	ID      string     `json:"id"`
	Tenant  string     `json:"tenant"`
	Address netip.Addr `json:"address"`
}

// A Listener is a port of a load balancer.
type Listener struct {
	ID       string `json:"id"`
	Protocol string `json:"protocol"` // "http", or "https": with TLS, by the certificates of the Admin API
	Port     uint16 `json:"port"`
}

// A Rule sends what it matches to a target group. A path is exact, or a prefix
// when it ends in "*". Without hosts any host matches, without methods any
// method. Rules with a higher priority are tried first.
type Rule struct {
	ID          string   `json:"id"`
	Hosts       []string `json:"hosts,omitempty"`
	Paths       []string `json:"paths"`
	Methods     []string `json:"methods,omitempty"`
	Priority    int64    `json:"priority"`
	TargetGroup string   `json:"target_group"`
}

// A TargetGroup is a set of servers. With a VPC its targets are guests of that
// VPC, without one they are addresses of the IDC network.
type TargetGroup struct {
	ID          string       `json:"id"`
	Tenant      string       `json:"tenant"`
	VPC         string       `json:"vpc,omitempty"`
	Targets     []Target     `json:"targets"`
	HealthCheck *HealthCheck `json:"health_check,omitempty"`
}

// A Target is one server of a group.
type Target struct {
	IP     netip.Addr `json:"ip"`
	Port   uint16     `json:"port"`
	Weight *int       `json:"weight"` // share of requests; 0: none; absent: 1
}

// A HealthCheck probes each target from each gateway.
type HealthCheck struct {
	Type     string `json:"type"`           // "http" or "tcp"
	Path     string `json:"path,omitempty"` // http only; absent: /
	Interval int    `json:"interval"`       // s between two probes; absent: 1
	Timeout  int    `json:"timeout"`        // s for one probe; absent: 1
	Rise     int    `json:"rise"`           // good probes in a row that bring a target back; absent: 2
	Fall     int    `json:"fall"`           // bad probes in a row that take it out; absent: 2
}
