package lbc

import (
	"errors"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/unilb/unilb/impl/vpc"
)

// object is a tenant object of any kind. Its check sees the object alone; what
// it refers to is checked against the model.
type object interface {
	id() *string
	check(r ref) error // also fills in what was left out
}

func (v *VPC) id() *string          { return &v.ID }
func (p *Port) id() *string         { return &p.ID }
func (b *LoadBalancer) id() *string { return &b.ID }
func (l *Listener) id() *string     { return &l.ID }
func (r *Rule) id() *string         { return &r.ID }
func (g *TargetGroup) id() *string  { return &g.ID }

// newObject returns an empty object of a kind.
func newObject(kind string) object {
	switch kind {
	case kindVPC:
		return new(VPC)
	case kindPort:
		return new(Port)
	case kindLB:
		return new(LoadBalancer)
	case kindListener:
		return new(Listener)
	case kindRule:
		return new(Rule)
	}
	return new(TargetGroup)
}

// checkRef checks the ids on a path.
func checkRef(r ref) error {
	for i, kind := range kindPaths[r.kind] {
		name := r.names[i]
		if kind == kindPort {
			if a, err := netip.ParseAddr(name); err != nil || !a.Is4() || a.String() != name {
				return invalid("id", "%q is not the IPv4 address of a port", name)
			}
		} else if !namePattern.MatchString(name) {
			return invalid("id", "%q: an id is 1 to 18 of a-z, 0-9 and -, and begins with a letter or digit", name)
		}
	}
	return nil
}

// decodeObject decodes and checks the body of a PUT on r.
func decodeObject(r ref, body []byte) (object, error) {
	o := newObject(r.kind)
	if err := decodeStrict(body, o); err != nil {
		return nil, err
	}
	if id := o.id(); *id == "" {
		*id = r.name()
	} else if *id != r.name() {
		return nil, invalid("id", "%q in the body, %q in the path", *id, r.name())
	}
	return o, o.check(r)
}

func (v *VPC) check(ref) error {
	return wireError(vpc.Network{Name: v.ID, VNI: v.VNI, CIDR: v.CIDR}.Validate())
}

func (p *Port) check(r ref) error {
	return wireError(p.wire(1, r).Validate()) // the VNI is not the body's
}

// wire is the port as agents read it.
func (p *Port) wire(vni uint32, r ref) vpc.Port {
	ip, _ := netip.ParseAddr(r.names[1])
	return vpc.Port{VNI: vni, IP: ip, MAC: p.MAC, Host: p.Host, VTEP: p.VTEP, Ifname: p.Ifname}
}

func wireError(err error) error {
	var field *vpc.FieldError
	if errors.As(err, &field) {
		return invalid(field.Field, "%s", field.Reason)
	}
	return err
}

var tenantPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

func checkTenant(s string) error {
	switch {
	case s == "":
		return invalid("tenant", "missing")
	case len(s) > maxTenantLength:
		return invalid("tenant", "longer than %d bytes", maxTenantLength)
	case !tenantPattern.MatchString(s):
		return invalid("tenant", "%q: want letters, digits, '.', '_' and '-', beginning with a letter or digit", s)
	}
	return nil
}

func (b *LoadBalancer) check(ref) error {
	if err := checkTenant(b.Tenant); err != nil {
		return err
	}
	if !b.Address.Is4() {
		return invalid("address", "want an IPv4 address such as 203.0.113.10")
	}
	return nil
}

// nodePorts are the ports on which our processes listen on all addresses of
// their node, EIPs included: docs/wire.md, section 2. A listener there could not
// be opened, or would answer for something else.
var nodePorts = map[uint16]bool{
	2379: true, 2380: true, // etcd
	9092: true, 9093: true, 9094: true, 9096: true, // status
	9095: true, // lbc-api
	9180: true, // Admin API
}

func (l *Listener) check(ref) error {
	if l.Protocol != "http" && l.Protocol != "https" {
		return invalid("protocol", "%q: want \"http\" or \"https\"", l.Protocol)
	}
	if l.Port == 0 {
		return invalid("port", "want 1 to 65535")
	}
	if nodePorts[l.Port] {
		return invalid("port", "%d is in use by the system: etcd, the Admin API and status listeners have it on all addresses of their nodes", l.Port)
	}
	return nil
}

var (
	hostPattern = regexp.MustCompile(`^(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$`)
	pathPattern = regexp.MustCompile(`^/[!-)+->@-~]*\*?$`) // printable ASCII without '*' (but at the end) and '?'
	methodWords = []string{"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE", "PURGE"}
)

func (r *Rule) check(ref) error {
	if len(r.Paths) == 0 {
		return invalid("paths", "missing; [\"/*\"] matches every path")
	}
	if err := checkList("hosts", r.Hosts, maxHostsPerRule, func(h string) string {
		if len(h) > maxHostLength || !hostPattern.MatchString(h) {
			return "want a lower-case host name, or *. and one"
		}
		return ""
	}); err != nil {
		return err
	}
	if err := checkList("paths", r.Paths, maxPathsPerRule, func(p string) string {
		if len(p) > maxPathLength || !pathPattern.MatchString(p) || strings.Contains(p, "#") {
			return "want a path such as /cart, or a prefix such as /static/*, without query"
		}
		return ""
	}); err != nil {
		return err
	}
	if err := checkList("methods", r.Methods, maxMethodsPerRule, func(m string) string {
		if !slices.Contains(methodWords, m) {
			return "want one of " + strings.Join(methodWords, " ")
		}
		return ""
	}); err != nil {
		return err
	}
	switch {
	case r.Priority > maxPriority || r.Priority < -maxPriority:
		return invalid("priority", "want %d to %d", -maxPriority, maxPriority)
	case r.TargetGroup == "":
		return invalid("target_group", "missing")
	case !namePattern.MatchString(r.TargetGroup):
		return invalid("target_group", "%q is not an id", r.TargetGroup)
	}
	return nil
}

// checkList checks the length of a list, that no item is there twice, and each
// item; wrong returns why an item is wrong, or "".
func checkList(field string, items []string, limit int, wrong func(string) string) error {
	if len(items) > limit {
		return invalid(field, "%d items; at most %d are allowed", len(items), limit)
	}
	seen := make(map[string]bool, len(items))
	for i, item := range items {
		at := field + "[" + strconv.Itoa(i) + "]"
		if reason := wrong(item); reason != "" {
			return invalid(at, "%q: %s", item, reason)
		}
		if seen[item] {
			return invalid(at, "%q is there twice", item)
		}
		seen[item] = true
	}
	return nil
}

func (g *TargetGroup) check(ref) error {
	if err := checkTenant(g.Tenant); err != nil {
		return err
	}
	if g.VPC != "" && !namePattern.MatchString(g.VPC) {
		return invalid("vpc", "%q is not an id", g.VPC)
	}
	if len(g.Targets) > maxTargetsPerGroup {
		return invalid("targets", "%d targets; at most %d are allowed", len(g.Targets), maxTargetsPerGroup)
	}
	if g.Targets == nil {
		g.Targets = []Target{}
	}
	seen := make(map[netip.AddrPort]bool, len(g.Targets))
	for i := range g.Targets {
		t, at := &g.Targets[i], "targets["+strconv.Itoa(i)+"]"
		switch {
		case !t.IP.Is4():
			return invalid(at+".ip", "want an IPv4 address")
		case t.Port == 0:
			return invalid(at+".port", "want 1 to 65535")
		case t.Weight != nil && (*t.Weight < 0 || *t.Weight > maxWeight):
			return invalid(at+".weight", "want 0 to %d", maxWeight)
		case seen[netip.AddrPortFrom(t.IP, t.Port)]:
			return invalid(at, "%s:%d is there twice", t.IP, t.Port)
		}
		seen[netip.AddrPortFrom(t.IP, t.Port)] = true
		if t.Weight == nil {
			one := 1
			t.Weight = &one
		}
	}
	if g.HealthCheck != nil {
		return g.HealthCheck.check()
	}
	return nil
}

func (h *HealthCheck) check() error {
	switch h.Type {
	case "http":
		if h.Path == "" {
			h.Path = "/"
		}
		if len(h.Path) > maxPathLength || !strings.HasPrefix(h.Path, "/") || strings.ContainsFunc(h.Path, func(c rune) bool { return c <= ' ' || c > '~' }) {
			return invalid("health_check.path", "%q: want a path such as /health", h.Path)
		}
	case "tcp":
		if h.Path != "" {
			return invalid("health_check.path", "a tcp check has no path")
		}
	default:
		return invalid("health_check.type", "%q: want \"http\" or \"tcp\"", h.Type)
	}
	for _, f := range []struct {
		name           string
		value          *int
		absent, atMost int
	}{
		{"interval", &h.Interval, 1, maxProbeSeconds},
		{"timeout", &h.Timeout, 1, maxProbeSeconds},
		{"rise", &h.Rise, 2, maxProbeCount},
		{"fall", &h.Fall, 2, maxProbeCount},
	} {
		if *f.value == 0 {
			*f.value = f.absent
		}
		if *f.value < 1 || *f.value > f.atMost {
			return invalid("health_check."+f.name, "want 1 to %d", f.atMost)
		}
	}
	return nil
}
