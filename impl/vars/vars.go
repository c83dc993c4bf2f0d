package vars

import (
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/unilb/unilb/impl/exchange"
	"github.com/unilb/unilb/impl/expr"
)

// A Request has the variables of the request of an exchange, and what was found out for
// them: it must not outlive that request. Asking allocates only for what has to be written
// (numbers, joined fields, what is in a body).
type Request struct {
	x *exchange.Exchange

	at    time.Time // that variables of the time tell; zero: nobody has asked
	texts [clocks]string
	id    string // empty: nobody has asked

	read    *bodyRead // what was found in the body
	asked   bool      // for it while it was unread
	refused error
}

var _ expr.Vars = (*Request)(nil)

// Of is that of the request of an exchange.
func Of(x *exchange.Exchange) Request { return Request{x: x} }

// Var returns the value of an nginx variable of the request, by its name
// without "$". The second result is false for a variable that is absent (a
// header that was not sent) and for one that we do not know.
//
// Numbers come as text. Variables of the body are those of Value.
func (v *Request) Var(name string) (string, bool) {
	r := &v.x.Request
	switch name {
	case "uri", "document_uri":
		return r.Path, true
	case "request_uri":
		return requestURI(r), true
	case "real_request_uri":
		return r.Target, true
	case "args", "query_string":
		return r.Query, r.Query != ""
	case "is_args":
		if r.Query == "" {
			return "", true
		}
		return "?", true
	case "host":
		return r.Host, r.Host != ""
	case "request":
		return r.Method + " " + r.Target + " " + r.Proto.String(), true
	case "request_method":
		return r.Method, true
	case "scheme":
		return r.Scheme, true
	case "https":
		return "on", r.Scheme == "https"
	case "content_type":
		return field(r, "content_type")
	case "content_length":
		return length(r)
	case "remote_user":
		return remoteUser(r)
	case "ssl_server_name", "ssl_protocol", "ssl_cipher", "ssl_session_reused":
		return ofConnection(r, name)
	case "time_iso8601":
		return v.time(iso8601), true
	case "time_local":
		return v.time(local), true
	case "msec":
		return v.time(msec), true
	case "server_protocol":
		return r.Proto.String(), true
	case "remote_addr":
		return r.Remote.Addr().String(), r.Remote.IsValid()
	case "remote_port":
		return port(r.Remote)
	case "realip_remote_addr":
		return peer(r).Addr().String(), peer(r).IsValid()
	case "realip_remote_port":
		return port(peer(r))
	case "server_addr":
		return r.Local.Addr().String(), r.Local.IsValid()
	case "server_port":
		return strconv.Itoa(int(r.Local.Port())), r.Local.IsValid()
	}
	if h, ok := strings.CutPrefix(name, "http_"); ok {
		return header(r, h)
	}
	if part, ok := strings.CutPrefix(name, "original_x_forwarded_"); ok {
		return original(r, part)
	}
	if a, ok := strings.CutPrefix(name, "arg_"); ok {
		return queryArg(r.Query, a)
	}
	if c, ok := strings.CutPrefix(name, "cookie_"); ok {
		return cookie(r, c)
	}
	if part, ok := strings.CutPrefix(name, "uri_param_"); ok && r.Captures.By != nil {
		return r.Captures.By.Capture(r.Captures.Path, part)
	}
	return v.rare(name)
}

// ofConnection is one of the connection, absent without TLS.
func ofConnection(r *exchange.Request, name string) (value string, ok bool) {
	if r.TLS == nil {
		return "", false
	}
	switch name {
	case "ssl_server_name":
		value = r.TLS.Name()
	case "ssl_protocol":
		value = r.TLS.Protocol()
	case "ssl_cipher":
		value = r.TLS.Cipher()
	case "ssl_session_reused":
		value = r.TLS.Reused()
	}
	return value, value != ""
}

// remoteUser is the name in Basic credentials; nobody has looked at the password.
func remoteUser(r *exchange.Request) (string, bool) {
	value, _ := r.Fields.Get("Authorization")
	const scheme = "Basic "
	if len(value) < len(scheme) || !exchange.EqualFold(value[:len(scheme)], scheme) {
		return "", false
	}
	plain, err := base64.StdEncoding.DecodeString(exchange.TrimBlanks(value[len(scheme):]))
	if err != nil {
		return "", false
	}
	name, _, ok := strings.Cut(string(plain), ":")
	return name, ok
}

// requestURI is what APISIX has in request_uri: the path as routes see it, so that no
// spelling of it walks around a condition, with the query as it was sent.
func requestURI(r *exchange.Request) string {
	if rest, ok := strings.CutPrefix(r.Target, r.Path); ok && (rest == "" || rest[0] == '?' && len(rest) > 1) {
		return r.Target
	}
	if r.Query == "" {
		return r.Path
	}
	return r.Path + "?" + r.Query
}

func length(r *exchange.Request) (string, bool) {
	return strconv.FormatInt(r.BodyLength, 10), r.BodyLength > 0 || r.SaysEmpty
}

// header is http_<name>, also of the fields that Fields is without. X-Forwarded-* are what
// targets are told: a condition believes nobody more than they do.
func header(r *exchange.Request, name string) (string, bool) {
	switch {
	case named("host", name):
		return r.Authority, r.Authority != ""
	case named("content_length", name):
		return length(r)
	case named("transfer_encoding", name):
		return "chunked", r.BodyLength < 0 && r.Proto <= exchange.HTTP11
	case r.Forwarded == exchange.ForwardedBelieved:
	case named("x_forwarded_proto", name):
		return r.Scheme, true
	case named("x_forwarded_host", name):
		return r.Host, r.Host != ""
	case named("x_forwarded_port", name):
		return port(r.Local)
	case r.Forwarded == exchange.ForwardedDropped && named("x_forwarded_for", name):
		return "", false
	}
	return field(r, name)
}

// original is a field X-Forwarded-* as somebody sent it who is not believed.
func original(r *exchange.Request, part string) (string, bool) {
	if r.Forwarded == exchange.ForwardedBelieved {
		return "", false
	}
	switch part {
	case "proto":
		return field(r, "x_forwarded_proto")
	case "host":
		return field(r, "x_forwarded_host")
	case "port":
		return field(r, "x_forwarded_port")
	case "for":
		return field(r, "x_forwarded_for")
	}
	return "", false
}

func peer(r *exchange.Request) netip.AddrPort {
	if r.Peer.IsValid() {
		return r.Peer
	}
	return r.Remote
}

// port is a port, which a proxy need not have said.
func port(a netip.AddrPort) (string, bool) {
	if a.Port() == 0 {
		return "", a.IsValid()
	}
	return strconv.Itoa(int(a.Port())), true
}

// field finds a field by its name with "_" for "-". nginx joins repeated fields with
// ", ", and those of cookies with "; "; so do we.
func field(r *exchange.Request, name string) (string, bool) {
	value, found := "", false
	for _, f := range r.Fields {
		if !named(f.Name, name) {
			continue
		}
		if found {
			between := ", "
			if named("cookie", name) {
				between = "; "
			}
			value += between + f.Value
			continue
		}
		value, found = f.Value, true
	}
	return value, found
}

// named tells whether a variable is named after a field. As in APISIX the name may
// be spelled as that of the field is: http_X-Canary is http_x_canary.
func named(field, name string) bool {
	if len(field) != len(name) {
		return false
	}
	for i := 0; i < len(field); i++ {
		if spelled(field[i]) != spelled(name[i]) {
			return false
		}
	}
	return true
}

func spelled(c byte) byte {
	if c == '-' {
		return '_'
	}
	return exchange.Lower(c)
}

// cookie is the first cookie of that name; names are case-sensitive.
func cookie(r *exchange.Request, name string) (string, bool) {
	for v := range r.Fields.Values("Cookie") {
		for v != "" {
			var part string
			part, v, _ = strings.Cut(v, ";")
			if k, val, ok := strings.Cut(exchange.TrimBlanks(part), "="); ok && k == name {
				return val, true
			}
		}
	}
	return "", false
}

// queryArg returns the first value of a query argument. As in APISIX, and unlike in nginx,
// names and values are decoded.
func queryArg(query, name string) (string, bool) {
	for query != "" {
		var part string
		part, query, _ = strings.Cut(query, "&")
		k, v, _ := strings.Cut(part, "=")
		if unescape(k) == name {
			return unescape(v), true
		}
	}
	return "", false
}

// unescape decodes as ngx.unescape_uri does: what is no escape stays.
func unescape(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '+':
			c = ' '
		case c == '%' && i+2 < len(s) && exchange.Unhex(s[i+1]) >= 0 && exchange.Unhex(s[i+2]) >= 0:
			c = byte(exchange.Unhex(s[i+1])<<4 | exchange.Unhex(s[i+2]))
			i += 2
		}
		b = append(b, c)
	}
	return string(b)
}
