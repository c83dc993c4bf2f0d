package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Defaults of APISIX 3.18 for what an object does not say.
const (
	defaultTimeout   = 60 * time.Second
	defaultKeepalive = 320
	defaultIdle      = 60 * time.Second
	defaultReuse     = 1000
)

// An Upstream is a group of targets, with every default filled in.
type Upstream struct {
	// Name is unique and consists of letters, digits, ".", "_" and "-". An upstream
	// within a route or a service has a name of its own.
	Name  string
	Nodes []Node // in the order of the object; of a map, by address

	// Type is "roundrobin", "chash", "least_conn" or "ewma"; HashOn and Key say what
	// chash hashes: "vars", "header" or "cookie", and which.
	Type, HashOn, Key string

	Retries      int           // further tries after the first
	RetryTimeout time.Duration // 0: none
	Timeout      Timeout
	Scheme       string // "http", "https", "grpc", "grpcs"
	// PassHost is "pass" (the client's Host), "node" (the target's address) or
	// "rewrite" (Host).
	PassHost, Host string
	Keepalive      Keepalive
	Check          *Check   // active; nil: none
	Passive        *Passive // nil: none
	TLSVerify      bool     // of https targets' certificates
}

// A Node is one target.
type Node struct {
	Host     string // address or name
	Port     int
	Weight   int
	Priority int // higher first; lower ones only when no higher one is left
}

// Addr is "host:port", as one dials it.
func (n Node) Addr() string { return net.JoinHostPort(n.Host, strconv.Itoa(n.Port)) }

// Usable are the nodes that get requests: those with a weight, and a single one
// in any case.
func (u *Upstream) Usable() []Node {
	if len(u.Nodes) == 1 {
		one := u.Nodes[0]
		one.Weight = max(one.Weight, 1)
		return []Node{one}
	}
	return slices.DeleteFunc(slices.Clone(u.Nodes), func(n Node) bool { return n.Weight == 0 })
}

// Priorities are the different priorities of the usable nodes, the highest first.
func (u *Upstream) Priorities() []int {
	var out []int
	for _, n := range u.Usable() {
		if !slices.Contains(out, n.Priority) {
			out = append(out, n.Priority)
		}
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out
}

// A Timeout bounds one try.
type Timeout struct{ Connect, Send, Read time.Duration }

// Keepalive is about connections to targets.
type Keepalive struct {
	Size     int           // idle connections kept for each worker
	Idle     time.Duration // how long one is kept
	Requests int           // that one carries
}

// A Check asks each target whether it is well.
type Check struct {
	Type         string // "http", "https" or "tcp"
	Method, Path string
	Host         string // "": the target's address
	Port         int    // 0: the target's
	Timeout      time.Duration
	Interval     time.Duration // between probes of a target that is well
	SickInterval time.Duration // and of one that is not
	Rise         int           // successes until a target is well
	Fall         int           // bad answers until it is not
	FallTCP      int           // the same for connections that fail
	FallTimeout  int           // and for silence
	Statuses     []int         // that are good
}

// Passive judges targets by the answers of requests.
type Passive struct {
	Statuses    []int // that are bad
	Fall        int
	FallTCP     int
	FallTimeout int
}

type upstreamObject struct {
	about
	Type         string            `json:"type"`
	Nodes        nodesObject       `json:"nodes"`
	HashOn       string            `json:"hash_on"`
	Key          string            `json:"key"`
	Retries      *int              `json:"retries"`
	RetryTimeout float64           `json:"retry_timeout"`
	Timeout      *timeoutObject    `json:"timeout"`
	Scheme       string            `json:"scheme"`
	PassHost     string            `json:"pass_host"`
	UpstreamHost string            `json:"upstream_host"`
	Pool         *poolObject       `json:"keepalive_pool"`
	Checks       *checksObject     `json:"checks"`
	TLS          *upstreamTLSThing `json:"tls"`
}

type upstreamTLSThing struct {
	Verify bool `json:"verify"`
}

type timeoutObject struct {
	Connect float64 `json:"connect"`
	Send    float64 `json:"send"`
	Read    float64 `json:"read"`
}

type poolObject struct {
	Size     *int     `json:"size"`
	Idle     *float64 `json:"idle_timeout"`
	Requests *int     `json:"requests"`
}

type checksObject struct {
	Active  *activeObject  `json:"active"`
	Passive *passiveObject `json:"passive"`
}

type activeObject struct {
	Type        string          `json:"type"`
	Method      string          `json:"http_method"`
	Path        string          `json:"http_path"`
	Host        string          `json:"host"`
	Port        int             `json:"port"`
	Timeout     float64         `json:"timeout"`
	Concurrency int             `json:"concurrency"`
	Verify      *bool           `json:"https_verify_certificate"`
	Healthy     healthyObject   `json:"healthy"`
	Unhealthy   unhealthyObject `json:"unhealthy"`
}

type passiveObject struct {
	Type      string          `json:"type"`
	Healthy   healthyObject   `json:"healthy"`
	Unhealthy unhealthyObject `json:"unhealthy"`
}

type healthyObject struct {
	Interval  float64 `json:"interval"`
	Successes *int    `json:"successes"`
	Statuses  []int   `json:"http_statuses"`
}

type unhealthyObject struct {
	Interval     float64 `json:"interval"`
	HTTPFailures *int    `json:"http_failures"`
	TCPFailures  *int    `json:"tcp_failures"`
	Timeouts     *int    `json:"timeouts"`
	Statuses     []int   `json:"http_statuses"`
}

// nodesObject is a list of nodes, or a map from addresses to weights.
type nodesObject []nodeObject

type nodeObject struct {
	Host     string          `json:"host"`
	Port     int             `json:"port"`
	Weight   int             `json:"weight"`
	Priority int             `json:"priority"`
	Metadata json.RawMessage `json:"metadata"`
}

func (n *nodesObject) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if trimmed := bytes.TrimSpace(b); len(trimmed) > 0 && trimmed[0] == '[' {
		return d.Decode((*[]nodeObject)(n))
	}
	var weights map[string]int
	if err := d.Decode(&weights); err != nil {
		return err
	}
	for at, weight := range weights {
		node := nodeObject{Host: at, Weight: weight}
		if strings.Count(at, ":") == 1 || strings.HasPrefix(at, "[") { // else a name or an IPv6 address alone
			host, port, err := net.SplitHostPort(at)
			if err != nil {
				return fmt.Errorf("node %q: %w", at, err)
			}
			if node.Host = host; port != "" {
				if node.Port, err = strconv.Atoi(port); err != nil {
					return fmt.Errorf("node %q: %w", at, err)
				}
			}
		}
		*n = append(*n, node)
	}
	slices.SortFunc(*n, func(a, b nodeObject) int {
		return strings.Compare(net.JoinHostPort(a.Host, strconv.Itoa(a.Port)), net.JoinHostPort(b.Host, strconv.Itoa(b.Port)))
	})
	return nil
}

// check says what is wrong with an upstream; nil is a good one.
func (u *upstreamObject) check() error {
	if u == nil {
		return nil
	}
	for _, n := range u.Nodes {
		switch {
		case n.Weight < 0:
			return fmt.Errorf("node %s: weight %d is negative", n.Host, n.Weight)
		case n.Port < 0 || n.Port > 65535:
			return fmt.Errorf("node %s: port %d", n.Host, n.Port)
		case n.Host == "" || strings.ContainsAny(n.Host, " \t\r\n;{}\"'"):
			return fmt.Errorf("node %q: want an address or a name", n.Host)
		}
	}
	for _, c := range []struct {
		field, value string
		known        []string
	}{
		{"type", u.Type, []string{"", "roundrobin", "chash", "least_conn", "ewma"}},
		{"scheme", u.Scheme, []string{"", "http", "https", "grpc", "grpcs"}},
		{"pass_host", u.PassHost, []string{"", "pass", "node", "rewrite"}},
		{"hash_on", u.HashOn, []string{"", "vars", "header", "cookie"}},
	} {
		if !slices.Contains(c.known, c.value) {
			return &NoWord{What: fmt.Sprintf("%s %q", c.field, c.value)}
		}
	}
	if u.Retries != nil && *u.Retries < 0 {
		return fmt.Errorf("retries %d is negative", *u.Retries)
	}
	return nil
}

// upstream fills in the defaults of an object.
func (u *upstreamObject) upstream(name string) *Upstream {
	out := &Upstream{
		Name: name, Type: or(u.Type, "roundrobin"), HashOn: u.HashOn, Key: u.Key,
		Retries: max(len(u.Nodes)-1, 0), RetryTimeout: seconds(u.RetryTimeout), Timeout: u.Timeout.timeout(defaultTimeouts),
		Scheme: or(u.Scheme, "http"), PassHost: or(u.PassHost, "pass"), Host: u.UpstreamHost,
		Keepalive: Keepalive{Size: defaultKeepalive, Idle: defaultIdle, Requests: defaultReuse},
		TLSVerify: u.TLS != nil && u.TLS.Verify,
	}
	if out.Type == "chash" {
		out.HashOn = or(out.HashOn, "vars")
	}
	if u.Retries != nil {
		out.Retries = *u.Retries
	}
	for _, n := range u.Nodes {
		if n.Port == 0 {
			n.Port = map[string]int{"http": 80, "grpc": 80, "https": 443, "grpcs": 443}[out.Scheme]
		}
		out.Nodes = append(out.Nodes, Node{Host: n.Host, Port: n.Port, Weight: n.Weight, Priority: n.Priority})
	}
	if p := u.Pool; p != nil {
		out.Keepalive.Size, out.Keepalive.Requests = given(p.Size, defaultKeepalive), given(p.Requests, defaultReuse)
		if p.Idle != nil {
			out.Keepalive.Idle = seconds(*p.Idle)
		}
	}
	if u.Checks != nil {
		out.Check, out.Passive = u.Checks.Active.check(), u.Checks.Passive.passive()
	}
	return out
}

func (a *activeObject) check() *Check {
	if a == nil {
		return nil
	}
	c := &Check{
		Type: or(a.Type, "http"), Method: or(a.Method, "GET"), Path: or(a.Path, "/"), Host: a.Host, Port: a.Port, Timeout: time.Second,
		Interval: time.Second, SickInterval: time.Second, Rise: given(a.Healthy.Successes, 2), Fall: given(a.Unhealthy.HTTPFailures, 5),
		FallTCP: given(a.Unhealthy.TCPFailures, 2), FallTimeout: given(a.Unhealthy.Timeouts, 3), Statuses: []int{200, 302},
	}
	for to, from := range map[*time.Duration]float64{&c.Timeout: a.Timeout, &c.Interval: a.Healthy.Interval, &c.SickInterval: a.Unhealthy.Interval} {
		if from > 0 {
			*to = seconds(from)
		}
	}
	if len(a.Healthy.Statuses) > 0 {
		c.Statuses = a.Healthy.Statuses
	}
	return c
}

func (p *passiveObject) passive() *Passive {
	if p == nil {
		return nil
	}
	out := &Passive{
		Statuses: []int{429, 500, 503}, Fall: given(p.Unhealthy.HTTPFailures, 5),
		FallTCP: given(p.Unhealthy.TCPFailures, 2), FallTimeout: given(p.Unhealthy.Timeouts, 7),
	}
	if len(p.Unhealthy.Statuses) > 0 {
		out.Statuses = p.Unhealthy.Statuses
	}
	return out
}

var defaultTimeouts = Timeout{Connect: defaultTimeout, Send: defaultTimeout, Read: defaultTimeout}

func (t *timeoutObject) timeout(otherwise Timeout) Timeout {
	if t == nil {
		return otherwise
	}
	for to, from := range map[*time.Duration]float64{&otherwise.Connect: t.Connect, &otherwise.Send: t.Send, &otherwise.Read: t.Read} {
		if from > 0 {
			*to = seconds(from)
		}
	}
	return otherwise
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func given(n *int, otherwise int) int {
	if n == nil {
		return otherwise
	}
	return *n
}
