package tenant

// LoadBalancer claims an EIP or VIP for a tenant.
type LoadBalancer struct {
	Tenant  string `json:"tenant"`
	Address string `json:"address"`
}

// Listener opens a port of a load balancer.
type Listener struct {
	Protocol string `json:"protocol"` // "http" or "https"
	Port     int    `json:"port"`
}

// Rule sends requests of a listener to a target group.
type Rule struct {
	Hosts       []string `json:"hosts,omitempty"`
	Paths       []string `json:"paths"`
	Methods     []string `json:"methods,omitempty"`
	Priority    int      `json:"priority,omitempty"`
	TargetGroup string   `json:"target_group"`
}

// TargetGroup is a set of targets in a VPC, or in the IDC when VPC is empty.
type TargetGroup struct {
	Tenant      string       `json:"tenant"`
	VPC         string       `json:"vpc,omitempty"`
	Targets     []Target     `json:"targets"`
	HealthCheck *HealthCheck `json:"health_check,omitempty"`
}

// A Target is one server of a group.
type Target struct {
	IP     string `json:"ip"`
	Port   int    `json:"port"`
	Weight int    `json:"weight"`
}

// HealthCheck probes the targets of a group. Times are in seconds.
type HealthCheck struct {
	Type     string `json:"type"` // "http" or "tcp"
	Path     string `json:"path,omitempty"`
	Interval int    `json:"interval"`
	Timeout  int    `json:"timeout"`
	Rise     int    `json:"rise"`
	Fall     int    `json:"fall"`
}

// VPC is a tenant's network.
type VPC struct {
	VNI  uint32 `json:"vni"`
	CIDR string `json:"cidr"`
}

// Port is a guest's interface, as the compute platform registers it.
type Port struct {
	MAC    string `json:"mac"`
	Host   string `json:"host"`
	VTEP   string `json:"vtep"`
	IfName string `json:"ifname"`
}

// VPCPath is the path of a network.
func VPCPath(vpc string) string { return "/v1/vpcs/" + vpc }

// PortPath is the path of a guest's interface.
func PortPath(vpc, ip string) string { return VPCPath(vpc) + "/ports/" + ip }

// LoadBalancerPath is the path of a load balancer.
func LoadBalancerPath(lb string) string { return "/v1/load-balancers/" + lb }

// ListenerPath is the path of a listener.
func ListenerPath(lb, l string) string { return LoadBalancerPath(lb) + "/listeners/" + l }

// RulePath is the path of a rule.
func RulePath(lb, l, rule string) string { return ListenerPath(lb, l) + "/rules/" + rule }

// TargetGroupPath is the path of a target group.
func TargetGroupPath(group string) string { return "/v1/target-groups/" + group }
