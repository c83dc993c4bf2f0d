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
	hopByHopRequest = [...]string{"Connection", "Keep-Alive", "Proxy-Connection", "TE", "Upgrade", "Proxy-Authorization"}
	hopByHopAnswer  = [...]string{"Connection", "Keep-Alive", "Proxy-Connection", "Upgrade", "Proxy-Authenticate", "Proxy-Authentication-Info"}
)

// editRequest writes the edits of the request: connection fields go, forwarding
// fields come. It starts anew for each try.
func editRequest(x *exchange.Exchange) {
	r, e := &x.Request, &x.RequestEdits
	*e = (*e)[:0]
	removeNamed(x, e, r.Fields)
	for _, name := range hopByHopRequest {
		if r.Fields.Has(name) {
			e.Remove(name)
		}
	}
	if te, ok := r.Fields.Get("TE"); ok && hasToken(te, "trailers") {
		e.Add("TE", "trailers") // trailers are passed on, so the wish for them is, too
	}
	// An expectation is the engine's to meet, on its side of the gateway.
	e.Remove("Expect")
	e.Remove("Forwarded")
	client := addrText(x, r)
	e.Set("X-Real-IP", client)
	e.Set("X-Forwarded-For", appendFor(x, r, client))
	e.Set("X-Forwarded-Proto", r.Scheme)
	e.Set("X-Forwarded-Host", r.Host)
	e.Set("X-Forwarded-Port", portText(x, r.Local.Port()))
}

func editResponse(x *exchange.Exchange) {
	e := &x.ResponseEdits
	*e = (*e)[:0]
	if x.Response.Status != 101 {
		removeNamed(x, e, x.Response.Fields)
		for _, name := range hopByHopAnswer {
			if x.Response.Fields.Has(name) {
				e.Remove(name)
			}
		}
	}
	e.Set("Server", ServerName)
}

// removeNamed removes the fields that Connection names. Host cannot be removed
// so: the engine writes it from the plan.
func removeNamed(x *exchange.Exchange, e *exchange.Edits, fields exchange.Fields) {
	for value := range fields.Values("Connection") {
		for name := range exchange.Tokens(value) {
			if protected(name) {
				continue
			}
			e.Remove(x.Arena.Copy(name))
		}
	}
}

// protected names cannot be removed by a client through Connection: it could
// hide who it is, or change the framing.
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

// upstreamHost is the Host of the upstream request, by pass_host.
func upstreamHost(x *exchange.Exchange, up *config.Upstream, t *config.Target) string {
	switch up.Spec.PassHost {
	case "node":
		return t.HostHeader
	case "rewrite":
		return up.Spec.UpstreamHost
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
