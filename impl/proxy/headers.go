package proxy

import (
	"strconv"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/exchange"
)

// upstreamStatus carries one status for each try when the last one is 5xx.
const upstreamStatus = "X-APISIX-Upstream-Status"

// ServerName is what every answer says in Server, overwriting the upstream's, as
// APISIX 3.18 does.
const ServerName = apisix.ServerName

// Fields that concern one connection only (RFC 9110, 7.6.1), or the next proxy
// only (11.7), by direction. Framing fields are the engine's and not listed.
var (
	hopByHopRequest = newNames("Connection", "Keep-Alive", "Proxy-Connection", "TE", "Upgrade", "Proxy-Authorization")
	hopByHopAnswer  = newNames("Connection", "Keep-Alive", "Proxy-Connection", "Upgrade", "Proxy-Authenticate", "Proxy-Authentication-Info")
)

// names is a set of names, most others of which are told by their length.
type names struct {
	lengths uint64 // a bit for each
	list    []string
}

func newNames(list ...string) names {
	n := names{list: list}
	for _, name := range list {
		n.lengths |= 1 << len(name)
	}
	return n
}

// find returns the name of the set that this one is, or "".
func (n *names) find(name string) string {
	if len(name) > 63 || n.lengths&(1<<len(name)) == 0 {
		return ""
	}
	for _, own := range n.list {
		if exchange.EqualFold(own, name) {
			return own
		}
	}
	return ""
}

// editRequest writes the edits of the request: connection fields go, forwarding
// fields come. It starts anew for each try.
func editRequest(x *exchange.Exchange) {
	r, e := &x.Request, &x.RequestEdits
	*e = (*e)[:0]
	removeHopByHop(x, e, r.Fields, &hopByHopRequest)
	for i := range *e {
		if (*e)[i].Name != "TE" {
			continue
		}
		if te, _ := r.Fields.Get("TE"); hasToken(te, "trailers") {
			e.Add("TE", "trailers") // trailers are passed on, so the wish for them is, too
		}
		break
	}
	// An expectation is the engine's to meet, on its side of the gateway.
	e.Remove("Expect")
	editForwarded(x, e)
}

// editForwarded tells the target who asked and for what: in the words of the gateway, or of
// a proxy before it that is believed.
func editForwarded(x *exchange.Exchange, e *exchange.Edits) {
	r := &x.Request
	client := addrText(x, r)
	e.SetSound("X-Real-IP", client)
	if r.Forwarded == exchange.ForwardedDropped {
		e.SetSound("X-Forwarded-For", client)
	} else {
		e.SetSound("X-Forwarded-For", appendFor(x, r, client))
	}
	if r.Forwarded != exchange.ForwardedBelieved {
		e.Remove("Forwarded")
	}
	for _, own := range [...]exchange.Field{
		{Name: "X-Forwarded-Proto", Value: r.Scheme}, {Name: "X-Forwarded-Host", Value: r.Host}, {Name: "X-Forwarded-Port", Value: portText(x, r.Local.Port())},
	} {
		if r.Forwarded == exchange.ForwardedBelieved {
			if said, _ := r.Fields.Get(own.Name); said != "" {
				continue
			}
		}
		e.SetSound(own.Name, own.Value)
	}
}

func editResponse(x *exchange.Exchange) {
	e := &x.ResponseEdits
	*e = (*e)[:0]
	if x.Response.Status != 101 {
		removeHopByHop(x, e, x.Response.Fields, &hopByHopAnswer)
	}
	e.SetSound("Server", ServerName)
}

// removeHopByHop removes the fields of a set, and those that Connection names.
func removeHopByHop(x *exchange.Exchange, e *exchange.Edits, fields exchange.Fields, set *names) {
	for i := range fields {
		name := set.find(fields[i].Name)
		if name == "" {
			continue
		}
		e.Remove(name)
		if name == "Connection" {
			removeNamed(x, e, fields[i].Value)
		}
	}
}

// removeNamed removes the fields that a value of Connection names.
func removeNamed(x *exchange.Exchange, e *exchange.Edits, value string) {
	for name := range exchange.Tokens(value) {
		if !protected(name) {
			e.Remove(x.Arena.Copy(name))
		}
	}
}

// protected names cannot be removed by a client through Connection: it could hide who
// it is. (Requests that name Host or what frames them engines refuse.)
func protected(name string) bool {
	for _, p := range [...]string{"close", "keep-alive", "Content-Length", "Transfer-Encoding", "Host",
		"X-Real-IP", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port"} {
		if exchange.EqualFold(name, p) {
			return true
		}
	}
	return false
}

func hasToken(list, want string) bool {
	for t := range exchange.Tokens(list) {
		if exchange.EqualFold(t, want) {
			return true
		}
	}
	return false
}

func addrText(x *exchange.Exchange, r *exchange.Request) string {
	if !r.Remote.IsValid() {
		return "unknown"
	}
	return x.Arena.Append(48, r.Remote.Addr().Unmap().AppendTo)
}

func portText(x *exchange.Exchange, port uint16) string {
	return x.Arena.Append(5, func(b []byte) []byte { return strconv.AppendUint(b, uint64(port), 10) })
}

// appendFor appends the peer to what the client (or a proxy before us) sent.
func appendFor(x *exchange.Exchange, r *exchange.Request, client string) string {
	list := ""
	for v := range r.Fields.Values("X-Forwarded-For") {
		if v == "" {
			continue
		}
		if list != "" {
			list = x.Arena.Concat(list, ", ", v)
			continue
		}
		list = v
	}
	if list == "" {
		return client
	}
	return x.Arena.Concat(list, ", ", client)
}

// UpstreamHost is the Host of the request to a target, by pass_host.
func UpstreamHost(x *exchange.Exchange, up *config.Upstream, t *config.Target) string {
	switch up.PassHost {
	case "node":
		return t.HostHeader
	case "rewrite":
		return up.UpstreamHost
	}
	if x.Request.Authority == "" {
		return t.HostHeader // HTTP/1.0 without Host: the target still needs one
	}
	return x.Request.Authority
}

func statusList(a *exchange.Arena, tries []int) string {
	return a.Append(5*len(tries), func(b []byte) []byte {
		for i, s := range tries {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = strconv.AppendInt(b, int64(s), 10)
		}
		return b
	})
}
