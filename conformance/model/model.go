package model

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A Model is all that a gateway has to be configured with. Treat it as immutable.
type Model struct {
	Revision int64
	// Rules, in the order in which they are to be tried: the first one that
	// matches decides. Hosts come before paths: an exact host's rules before those of
	// wildcards (longest first) before those without a host; of one host exact paths
	// before prefixes (longest first); of one path the higher priority first.
	Rules []Rule
	// Hosts are the same rules for gateways that decide by host first. The rules of
	// a host are complete: those of the less specific hosts that match it, too,
	// follow its own. The last host is the one without a name.
	Hosts        []HostRules
	Routes       []*Route      // by name
	Upstreams    []*Upstream   // by name; those that a route uses
	Certificates []Certificate // by name
	// ServerNames are the names that clients ask for in handshakes, in the order in
	// which they are to be tried: exact ones, then the longest wildcard.
	ServerNames   []ServerName
	GlobalPlugins map[string]json.RawMessage
}

// A Rule sends requests to a route.
type Rule struct {
	Host     Host
	Path     Path
	Methods  []string // none: every method
	Priority int64
	Route    *Route
}

// HostRules are all rules that a request for one host can meet.
type HostRules struct {
	Host  Host
	Rules []Rule
}

// A Route is what becomes of a request.
type Route struct {
	Name     string    // unique; letters, digits, ".", "_" and "-"
	Upstream *Upstream // nil: Status is the answer
	// Status is what the gateway itself answers: 404 when the service is gone, 502
	// when the upstream is gone or has no usable node, 503 when there are no nodes at
	// all; 0: the request is proxied.
	Status    int
	Timeout   Timeout // the route's, else the upstream's
	Websocket bool    // upgrades pass
	// Conditions beside host, path and method, and plugins, as the objects have
	// them. A template that cannot express them must say so: see the function fail.
	Vars        json.RawMessage
	RemoteAddrs []string
	Plugins     map[string]json.RawMessage
}

// A Certificate is for the names that a client asks for in its TLS handshake.
type Certificate struct {
	Name  string   // unique, follows from the contents
	Names []string // "example.com", "*.example.com": one label only
	Pairs []Pair   // usually one; RSA and ECDSA may stand side by side
}

// A ServerName is one name of a certificate.
type ServerName struct {
	Name        string // "example.com", "*.example.com", "*"
	Certificate Certificate
}

// Wildcard says whether the name begins with a star.
func (n ServerName) Wildcard() bool { return strings.HasPrefix(n.Name, "*") }

// Regex is a regular expression for the whole of a lower-case name, without
// anchors. A star stands for one label; alone it is any name.
func (n ServerName) Regex() string {
	rest, wild := strings.CutPrefix(n.Name, "*")
	switch {
	case !wild:
		return regexp.QuoteMeta(n.Name)
	case rest == "":
		return `.+`
	}
	return `[^.]+` + regexp.QuoteMeta(rest)
}

// serverNames orders the names of certificates. Where two have the same one, the
// first certificate's counts.
func serverNames(certs []Certificate) []ServerName {
	var out []ServerName
	for _, c := range certs {
		for _, name := range c.Names {
			if !slices.ContainsFunc(out, func(n ServerName) bool { return n.Name == name }) {
				out = append(out, ServerName{name, c})
			}
		}
	}
	slices.SortStableFunc(out, func(x, y ServerName) int {
		rank := func(n ServerName) int {
			if n.Wildcard() {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(rank(x), rank(y)), cmp.Compare(len(y.Name), len(x.Name)), cmp.Compare(x.Name, y.Name))
	})
	return out
}

// A Pair is a certificate chain and its key. Files are where the testbed has put
// them on the gateway's node: File has chain and key, the others one of them.
type Pair struct {
	Cert, Key               string // PEM
	File, CertFile, KeyFile string
}

// Build digests objects. They must be good ones (see Object.Check); references may
// lead nowhere.
func Build(revision int64, objects []Object) (*Model, error) {
	b := &builder{services: map[string]*serviceObject{}, upstreams: map[string]*upstreamObject{}, used: map[string]*Upstream{}, m: &Model{Revision: revision, GlobalPlugins: map[string]json.RawMessage{}}}
	objects = slices.Clone(objects)
	slices.SortStableFunc(objects, func(x, y Object) int { return cmp.Compare(x.Created, y.Created) })
	for _, o := range objects { // what others refer to
		var err error
		switch o.Kind {
		case Services:
			s := &serviceObject{}
			err, b.services[o.ID] = o.decode(s), s
		case Upstreams:
			u := &upstreamObject{}
			err, b.upstreams[o.ID] = o.decode(u), u
		}
		if err != nil {
			return nil, err
		}
	}
	for _, o := range objects {
		if err := b.add(o); err != nil {
			return nil, err
		}
	}
	b.finish()
	return b.m, nil
}

type builder struct {
	m         *Model
	services  map[string]*serviceObject
	upstreams map[string]*upstreamObject
	used      map[string]*Upstream
}

func (b *builder) add(o Object) error {
	switch o.Kind {
	case Routes:
		var r routeObject
		if err := o.decode(&r); err != nil {
			return err
		}
		return named(o.Kind+"/"+o.ID, b.route(o.ID, &r))
	case SSLs:
		var s sslObject
		if err := o.decode(&s); err != nil {
			return err
		}
		b.certificate(&s)
	case GlobalRules:
		var g globalObject
		if err := o.decode(&g); err != nil {
			return err
		}
		for name, conf := range g.Plugins {
			b.m.GlobalPlugins[name] = conf
		}
	}
	return nil
}

// route resolves a route: what it does not say itself its service says.
func (b *builder) route(id string, r *routeObject) error {
	if r.Status != nil && *r.Status == 0 {
		return nil
	}
	out := &Route{Name: Routes + "." + id, Vars: r.Vars, RemoteAddrs: r.RemoteAddrs, Plugins: map[string]json.RawMessage{}}
	if r.RemoteAddr != "" && len(r.RemoteAddrs) == 0 {
		out.RemoteAddrs = []string{r.RemoteAddr}
	}
	hosts, websocket := r.hosts(), r.Websocket
	service := &serviceObject{}
	if r.ServiceID != "" {
		if s := b.services[string(r.ServiceID)]; s != nil {
			service = s
		} else {
			out.Status = 404
		}
	}
	for _, plugins := range []map[string]json.RawMessage{service.Plugins, r.Plugins} {
		for name, conf := range plugins {
			out.Plugins[name] = conf
		}
	}
	if len(hosts) == 0 {
		hosts = service.Hosts
	}
	if websocket == nil {
		websocket = service.Websocket
	}
	out.Websocket = websocket != nil && *websocket
	if out.Status == 0 {
		b.target(out, id, r, service)
	}
	out.Timeout = defaultTimeouts
	if out.Upstream != nil {
		out.Timeout = out.Upstream.Timeout
	}
	out.Timeout = r.Timeout.timeout(out.Timeout)
	b.m.Routes = append(b.m.Routes, out)
	return b.rules(out, r, hosts)
}

// target finds the upstream: the route's own of either form, else its service's.
func (b *builder) target(out *Route, id string, r *routeObject, s *serviceObject) {
	switch {
	case r.Upstream != nil:
		out.Upstream = b.use(Routes+"."+id, r.Upstream)
	case r.UpstreamID != "":
		out.Upstream = b.shared(r.UpstreamID)
	case s.Upstream != nil:
		out.Upstream = b.use(Services+"."+string(r.ServiceID), s.Upstream)
	case s.UpstreamID != "":
		out.Upstream = b.shared(s.UpstreamID)
	default:
		out.Status = 503
		return
	}
	switch u := out.Upstream; {
	case u == nil:
		out.Status = 502
	case len(u.Nodes) == 0:
		out.Upstream, out.Status = nil, 503
	case len(u.Usable()) == 0:
		out.Upstream, out.Status = nil, 502
	}
}

func (b *builder) shared(i id) *Upstream {
	u := b.upstreams[string(i)]
	if u == nil {
		return nil
	}
	return b.use(Upstreams+"."+string(i), u)
}

func (b *builder) use(name string, u *upstreamObject) *Upstream {
	if b.used[name] == nil {
		b.used[name] = u.upstream(name)
	}
	return b.used[name]
}

func (b *builder) rules(out *Route, r *routeObject, names []string) error {
	hosts := []Host{{Kind: Any}}
	if len(names) > 0 {
		hosts = nil
	}
	for _, name := range names {
		h, err := parseHost(name)
		if err != nil {
			return err
		}
		hosts = append(hosts, h)
	}
	for _, h := range hosts {
		for _, text := range r.paths() {
			p, err := parsePath(text)
			if err != nil {
				return err
			}
			b.m.Rules = append(b.m.Rules, Rule{Host: h, Path: p, Methods: r.Methods, Priority: r.Priority, Route: out})
		}
	}
	return nil
}

func (b *builder) certificate(s *sslObject) {
	if s.Status != nil && *s.Status == 0 {
		return
	}
	pairs := []Pair{{Cert: s.Cert, Key: s.Key}}
	for i := range s.Certs {
		pairs = append(pairs, Pair{Cert: s.Certs[i], Key: s.Keys[i]})
	}
	h := sha256.New()
	for _, p := range pairs {
		fmt.Fprintf(h, "%s\n%s\n", strings.TrimSpace(p.Cert), strings.TrimSpace(p.Key))
	}
	fmt.Fprint(h, s.names())
	b.m.Certificates = append(b.m.Certificates, Certificate{Name: fmt.Sprintf("%x", h.Sum(nil)[:8]), Names: s.names(), Pairs: pairs})
}

// finish orders everything. Rules that are equal stay in the order in which their
// objects were made.
func (b *builder) finish() {
	m := b.m
	slices.SortStableFunc(m.Rules, func(x, y Rule) int {
		return cmp.Or(compareHosts(x.Host, y.Host), comparePaths(x.Path, y.Path), cmp.Compare(y.Priority, x.Priority),
			cmp.Compare(len(y.Path.full), len(x.Path.full)))
	})
	slices.SortFunc(m.Routes, func(x, y *Route) int { return cmp.Compare(x.Name, y.Name) })
	for _, u := range b.used {
		m.Upstreams = append(m.Upstreams, u)
	}
	slices.SortFunc(m.Upstreams, func(x, y *Upstream) int { return cmp.Compare(x.Name, y.Name) })
	slices.SortFunc(m.Certificates, func(x, y Certificate) int { return cmp.Compare(x.Name, y.Name) })
	m.ServerNames = serverNames(m.Certificates)
	m.Hosts = hostsOf(m.Rules)
}

// hostsOf groups rules by host; they are in order already.
func hostsOf(rules []Rule) []HostRules {
	var out []HostRules
	for _, r := range append(slices.Clone(rules), Rule{Host: Host{Kind: Any}}) {
		if len(out) == 0 || out[len(out)-1].Host != r.Host {
			out = append(out, HostRules{Host: r.Host})
		}
	}
	for i := range out {
		for _, r := range rules {
			if r.Host == out[i].Host || covers(r.Host, out[i].Host) {
				out[i].Rules = append(out[i].Rules, r)
			}
		}
	}
	return out
}

// covers says whether every name of the narrow host is one of the wide one, too.
func covers(wide, narrow Host) bool {
	switch {
	case wide.Kind == Any:
		return true
	case wide.Kind == Suffix && narrow.Kind == Exact:
		return wide.Matches(narrow.Name)
	case wide.Kind == Suffix && narrow.Kind == Suffix:
		return len(narrow.Name) > len(wide.Name) && strings.HasSuffix(narrow.Name, wide.Name)
	}
	return false
}
