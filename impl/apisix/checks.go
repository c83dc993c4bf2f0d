package apisix

// Checks says how the health of an upstream's nodes is found out. Passive is
// never set alone.
type Checks struct {
	Active  *ActiveCheck
	Passive *PassiveCheck
}

// An ActiveCheck probes every node. Absent fields have their defaults.
type ActiveCheck struct {
	Type        string  // http (default), https, tcp
	Timeout     float64 // seconds; default 1
	Concurrency int     // default 10
	Host        string  // Host header of the probe; "": the node's
	Port        int     // 0: the node's
	HTTPMethod  string  // default GET
	HTTPPath    string  // default /
	HTTPReqBody string
	// HTTPSVerifyCertificate is true unless switched off.
	HTTPSVerifyCertificate bool
	ReqHeaders             []string // "Name: value"
	Healthy                ActiveHealthy
	Unhealthy              ActiveUnhealthy
}

// ActiveHealthy says how an unhealthy node becomes healthy.
type ActiveHealthy struct {
	Interval     int // seconds between probes of healthy nodes; default 1
	HTTPStatuses []int
	Successes    int // in a row; default 2
}

// ActiveUnhealthy says how a healthy node becomes unhealthy.
type ActiveUnhealthy struct {
	Interval     int // seconds between probes of unhealthy nodes; default 1
	HTTPStatuses []int
	HTTPFailures int // default 5
	TCPFailures  int // default 2
	Timeouts     int // default 3
}

// A PassiveCheck judges nodes by the answers to ordinary requests. A count of 0
// switches that counter off.
type PassiveCheck struct {
	Type      string // http (default), https, tcp
	Healthy   PassiveHealthy
	Unhealthy PassiveUnhealthy
}

// PassiveHealthy says how an unhealthy node becomes healthy.
type PassiveHealthy struct {
	HTTPStatuses []int
	Successes    int // default 5
}

// PassiveUnhealthy says how a healthy node becomes unhealthy.
type PassiveUnhealthy struct {
	HTTPStatuses []int
	HTTPFailures int // default 5
	TCPFailures  int // default 2
	Timeouts     int // default 7
}

// checksOf reads checks from a validated upstream, with APISIX's defaults.
func checksOf(upstream map[string]any) *Checks {
	t, ok := upstream["checks"].(map[string]any)
	if !ok {
		return nil
	}
	c := &Checks{}
	if a, ok := t["active"].(map[string]any); ok {
		c.Active = activeOf(a)
	}
	if p, ok := t["passive"].(map[string]any); ok {
		c.Passive = passiveOf(p)
	}
	return c
}

func activeOf(a map[string]any) *ActiveCheck {
	healthy, unhealthy := object(a, "healthy"), object(a, "unhealthy")
	return &ActiveCheck{
		Type: str(a, "type", "http"), Timeout: number(a, "timeout", 1), Concurrency: int(integer(a, "concurrency", 10)),
		Host: str(a, "host", ""), Port: int(integer(a, "port", 0)),
		HTTPMethod: str(a, "http_method", "GET"), HTTPPath: str(a, "http_path", "/"), HTTPReqBody: str(a, "http_req_body", ""),
		HTTPSVerifyCertificate: boolean(a, "https_verify_certificate", true), ReqHeaders: strs(a, "req_headers"),
		Healthy: ActiveHealthy{
			Interval: int(integer(healthy, "interval", 1)), Successes: int(integer(healthy, "successes", 2)),
			HTTPStatuses: ints(healthy, "http_statuses", 200, 302),
		},
		Unhealthy: ActiveUnhealthy{
			Interval:     int(integer(unhealthy, "interval", 1)),
			HTTPStatuses: ints(unhealthy, "http_statuses", 429, 404, 500, 501, 502, 503, 504, 505),
			HTTPFailures: int(integer(unhealthy, "http_failures", 5)),
			TCPFailures:  int(integer(unhealthy, "tcp_failures", 2)), Timeouts: int(integer(unhealthy, "timeouts", 3)),
		},
	}
}

func passiveOf(p map[string]any) *PassiveCheck {
	healthy, unhealthy := object(p, "healthy"), object(p, "unhealthy")
	return &PassiveCheck{
		Type: str(p, "type", "http"),
		Healthy: PassiveHealthy{
			Successes: int(integer(healthy, "successes", 5)),
			HTTPStatuses: ints(healthy, "http_statuses", 200, 201, 202, 203, 204, 205, 206, 207, 208, 226,
				300, 301, 302, 303, 304, 305, 306, 307, 308),
		},
		Unhealthy: PassiveUnhealthy{
			HTTPStatuses: ints(unhealthy, "http_statuses", 429, 500, 503),
			HTTPFailures: int(integer(unhealthy, "http_failures", 5)),
			TCPFailures:  int(integer(unhealthy, "tcp_failures", 2)), Timeouts: int(integer(unhealthy, "timeouts", 7)),
		},
	}
}
