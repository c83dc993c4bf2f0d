package decide

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/exchange"
	"github.com/unilb/unilb/impl/history"
	"github.com/unilb/unilb/impl/route"
)

// maxOfRoute bounds the requests that are made of one route in one state.
const maxOfRoute = 64

// A Request is one that routes can tell from others.
type Request struct {
	Method string     `json:"method"`
	Host   string     `json:"host"`
	Path   string     `json:"path"`
	Remote netip.Addr `json:"remote"`
	// Local is the listener it comes to; not valid: it does not matter which.
	Local netip.AddrPort `json:"local,omitzero"`
	// Vars are variables, by their names in conditions: http_x_kind, arg_v, cookie_c.
	Vars map[string]string `json:"vars,omitempty"`
}

// String tells requests apart.
func (q Request) String() string {
	out := fmt.Sprintf("%s http://%s%s from %s", q.Method, q.Host, q.Path, q.Remote)
	if q.Local.IsValid() {
		out += " at " + q.Local.String()
	}
	for _, name := range slices.Sorted(maps.Keys(q.Vars)) {
		out += fmt.Sprintf(" %s=%s", name, q.Vars[name])
	}
	return out
}

// somewhere is a listener for requests of which it does not matter.
var somewhere = netip.MustParseAddrPort("192.0.2.1:80")

func (q Request) local() netip.AddrPort {
	if q.Local.IsValid() {
		return q.Local
	}
	return somewhere
}

// name is the host without a port.
func (q Request) name() string { return exchange.HostName(new(exchange.Arena), q.Host) }

// Var is what conditions ask for.
func (q Request) Var(name string) (string, bool) {
	if v, ok := q.Vars[name]; ok {
		return v, true
	}
	switch name {
	case "uri", "request_uri":
		return q.Path, true
	case "host":
		return q.name(), true
	case "http_host":
		return q.Host, true
	case "request_method":
		return q.Method, true
	case "scheme":
		return "http", true
	case "server_protocol":
		return "HTTP/1.1", true
	case "remote_addr":
		return q.Remote.String(), true
	case "server_addr":
		return q.local().Addr().String(), true
	case "server_port":
		return strconv.Itoa(int(q.local().Port())), true
	}
	return "", false
}

// Value is Var: of bodies nothing is known.
func (q Request) Value(name string) (any, bool) { return q.Var(name) }

// A client whom no route names.
var stranger = netip.MustParseAddr("198.51.100.77")

// requestsOf makes requests that a route is about: by each of its names, paths and
// methods, with its conditions met and without.
func (o Options) requestsOf(s *history.State, id string) []Request {
	value := s.Objects[o.Objects+"/routes/"+id]
	if value == nil {
		return nil
	}
	tree, err := apisix.Parse(value)
	if err != nil {
		return nil
	}
	r, err := tree.Route(id)
	if err != nil {
		return nil
	}
	hosts := r.HostNames()
	if svc := s.Objects[o.Objects+"/services/"+r.ServiceID]; len(hosts) == 0 && svc != nil {
		if of, err := apisix.DecodeService(r.ServiceID, svc); err == nil {
			hosts = of.Hosts
		}
	}
	if len(hosts) == 0 {
		hosts = []string{"any.example"}
	}
	methods := r.Methods
	if len(methods) == 0 {
		methods = []string{"GET"}
	}
	remotes := []netip.Addr{stranger}
	for _, text := range r.Sources() {
		if a := addressIn(text); a.IsValid() {
			remotes = append(remotes, a)
		}
	}
	met, local := meet(tree.Vars())
	conditions := []map[string]string{nil}
	if len(met) > 0 {
		conditions = append(conditions, met)
	}
	var out []Request
	for _, host := range hosts {
		for _, path := range r.Paths() {
			for _, path := range spelled(path) {
				for _, method := range methods {
					for _, remote := range remotes {
						for _, vars := range conditions {
							if len(out) == maxOfRoute {
								return out
							}
							path, vars := o.filled(path, vars)
							out = append(out, Request{method, named(host), path, remote, local, vars})
						}
					}
				}
			}
		}
	}
	return out
}

// named is a host that a pattern means.
func named(pattern string) string {
	name := strings.ToLower(pattern)
	switch {
	case strings.HasPrefix(name, "*."):
		return "a" + name[1:]
	case strings.HasPrefix(name, "*"):
		return "a" + name[1:]
	}
	return name
}

// spelled are paths that a pattern means.
func spelled(pattern string) []string {
	if !strings.Contains(pattern, "*") {
		return []string{pattern}
	}
	out := []string{strings.ReplaceAll(pattern, "*", "x")}
	if none := strings.TrimSuffix(pattern, "*"); none != "" && !strings.Contains(none, "*") {
		out = append(out, none)
	}
	return out
}

// filled puts values in the places of parameters, where the router knows such: those that
// conditions ask for. They are no variables of a request, but parts of its path.
func (o Options) filled(path string, vars map[string]string) (string, map[string]string) {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if name, is := strings.CutPrefix(s, ":"); is && o.Router == route.URIWithParameter {
			segments[i] = "x"
			if v := vars[route.Param+name]; v != "" && !strings.Contains(v, "/") {
				segments[i] = v
			}
		}
	}
	rest := maps.Clone(vars)
	maps.DeleteFunc(rest, func(name, _ string) bool { return strings.HasPrefix(name, route.Param) })
	return strings.Join(segments, "/"), rest
}

func addressIn(text string) netip.Addr {
	if p, err := netip.ParsePrefix(text); err == nil {
		if first := p.Masked().Addr(); p.Contains(first.Next()) {
			return first.Next()
		}
		return p.Addr()
	}
	a, _ := netip.ParseAddr(text) // not valid: it is none
	return a.Unmap()
}

// meet finds variables that meet the conditions which every request of a route has to
// meet, as far as that is simple, and the listener that they name.
func meet(vars json.RawMessage) (met map[string]string, local netip.AddrPort) {
	d := json.NewDecoder(bytes.NewReader(vars))
	d.UseNumber()
	var terms []any
	if len(vars) == 0 || d.Decode(&terms) != nil {
		return nil, local
	}
	met = map[string]string{}
	at := somewhere
	for _, t := range terms {
		term, _ := t.([]any)
		if len(term) != 3 {
			continue
		}
		name, _ := term[0].(string)
		value, ok := meeting(term[1], term[2])
		if name == "" || !ok {
			continue
		}
		switch name {
		case "server_addr":
			if a, err := netip.ParseAddr(value); err == nil {
				at = netip.AddrPortFrom(a, at.Port())
				local = at
			}
		case "server_port":
			if p, err := strconv.ParseUint(value, 10, 16); err == nil {
				at = netip.AddrPortFrom(at.Addr(), uint16(p))
				local = at
			}
		default:
			met[name] = value
		}
	}
	return met, local
}

// meeting is a value for which an operator holds.
func meeting(op, operand any) (string, bool) {
	text := func(v any) (string, bool) {
		switch v := v.(type) {
		case string:
			return v, true
		case json.Number:
			return v.String(), true
		}
		return "", false
	}
	switch op {
	case "==", ">=", "<=":
		return text(operand)
	case "in":
		if list, _ := operand.([]any); len(list) > 0 {
			return text(list[0])
		}
	case ">":
		if n, ok := operand.(json.Number); ok {
			if i, err := n.Int64(); err == nil {
				return strconv.FormatInt(i+1, 10), true
			}
		}
	case "<":
		if n, ok := operand.(json.Number); ok {
			if i, err := n.Int64(); err == nil {
				return strconv.FormatInt(i-1, 10), true
			}
		}
	case "has":
		return text(operand)
	}
	return "", false
}
