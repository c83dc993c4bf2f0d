package exchange

import (
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"
)

// Var returns the value of an nginx variable of the request, by its name
// without "$". The second result is false for a variable that is absent (a
// header that was not sent) and for one that we do not know.
//
// It makes a request usable in vars expressions. Numbers come as text. Variables of the
// body are those of Value.
func (r *Request) Var(name string) (string, bool) {
	switch name {
	case "uri", "document_uri":
		return r.Path, true
	case "request_uri":
		return r.requestURI(), true
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
		return r.headerVar("content_type")
	case "content_length":
		return r.lengthVar()
	case "remote_user":
		return r.remoteUser()
	case "ssl_server_name", "ssl_protocol", "ssl_cipher", "ssl_session_reused":
		return r.secureVar(name)
	case "time_iso8601":
		return r.timeVar(iso8601), true
	case "time_local":
		return r.timeVar(local), true
	case "msec":
		return r.timeVar(msec), true
	case "server_protocol":
		return r.Proto.String(), true
	case "remote_addr":
		return r.Remote.Addr().String(), r.Remote.IsValid()
	case "remote_port":
		return portVar(r.Remote)
	case "realip_remote_addr":
		return r.peer().Addr().String(), r.peer().IsValid()
	case "realip_remote_port":
		return portVar(r.peer())
	case "server_addr":
		return r.Local.Addr().String(), r.Local.IsValid()
	case "server_port":
		return strconv.Itoa(int(r.Local.Port())), r.Local.IsValid()
	}
	if h, ok := strings.CutPrefix(name, "http_"); ok {
		return r.fieldVar(h)
	}
	if part, ok := strings.CutPrefix(name, "original_x_forwarded_"); ok {
		return r.originalVar(part)
	}
	if a, ok := strings.CutPrefix(name, "arg_"); ok {
		return queryArg(r.Query, a)
	}
	if c, ok := strings.CutPrefix(name, "cookie_"); ok {
		return r.Cookie(c)
	}
	if part, ok := strings.CutPrefix(name, "uri_param_"); ok && r.Captures.By != nil {
		return r.Captures.By.Capture(r.Captures.Path, part)
	}
	return r.rareVar(name)
}

// secureVar is one of the connection, absent without TLS.
func (r *Request) secureVar(name string) (value string, ok bool) {
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
func (r *Request) remoteUser() (string, bool) {
	value, _ := r.Fields.Get("Authorization")
	const scheme = "Basic "
	if len(value) < len(scheme) || !EqualFold(value[:len(scheme)], scheme) {
		return "", false
	}
	plain, err := base64.StdEncoding.DecodeString(trimBlanks(value[len(scheme):]))
	if err != nil {
		return "", false
	}
	name, _, ok := strings.Cut(string(plain), ":")
	return name, ok
}

// requestURI is what APISIX has in request_uri: the path as routes see it, so that no
// spelling of it walks around a condition, with the query as it was sent.
func (r *Request) requestURI() string {
	if rest, ok := strings.CutPrefix(r.Target, r.Path); ok && (rest == "" || rest[0] == '?' && len(rest) > 1) {
		return r.Target
	}
	if r.Query == "" {
		return r.Path
	}
	return r.Path + "?" + r.Query
}

func (r *Request) lengthVar() (string, bool) {
	return strconv.FormatInt(r.BodyLength, 10), r.BodyLength > 0 || r.SaysEmpty
}

// fieldVar is http_<name>, also of the fields that Fields is without. X-Forwarded-* are what
// targets are told: a condition believes nobody more than they do.
func (r *Request) fieldVar(name string) (string, bool) {
	switch {
	case equalVarName("host", name):
		return r.Authority, r.Authority != ""
	case equalVarName("content_length", name):
		return r.lengthVar()
	case equalVarName("transfer_encoding", name):
		return "chunked", r.BodyLength < 0 && r.Proto <= HTTP11
	case r.Forwarded == ForwardedBelieved:
	case equalVarName("x_forwarded_proto", name):
		return r.Scheme, true
	case equalVarName("x_forwarded_host", name):
		return r.Host, r.Host != ""
	case equalVarName("x_forwarded_port", name):
		return portVar(r.Local)
	case r.Forwarded == ForwardedDropped && equalVarName("x_forwarded_for", name):
		return "", false
	}
	return r.headerVar(name)
}

// originalVar is a field X-Forwarded-* as somebody sent it who is not believed.
func (r *Request) originalVar(part string) (string, bool) {
	if r.Forwarded == ForwardedBelieved {
		return "", false
	}
	switch part {
	case "proto":
		return r.headerVar("x_forwarded_proto")
	case "host":
		return r.headerVar("x_forwarded_host")
	case "port":
		return r.headerVar("x_forwarded_port")
	case "for":
		return r.headerVar("x_forwarded_for")
	}
	return "", false
}

func (r *Request) peer() netip.AddrPort {
	if r.Peer.IsValid() {
		return r.Peer
	}
	return r.Remote
}

// portVar is a port, which a proxy need not have said.
func portVar(a netip.AddrPort) (string, bool) {
	if a.Port() == 0 {
		return "", a.IsValid()
	}
	return strconv.Itoa(int(a.Port())), true
}

// headerVar finds a header by its name with "_" for "-". nginx joins repeated fields with
// ", ", and those of cookies with "; "; so do we.
func (r *Request) headerVar(name string) (string, bool) {
	value, found := "", false
	for _, f := range r.Fields {
		if !equalVarName(f.Name, name) {
			continue
		}
		if found {
			between := ", "
			if equalVarName("cookie", name) {
				between = "; "
			}
			value += between + f.Value
			continue
		}
		value, found = f.Value, true
	}
	return value, found
}

// equalVarName tells whether a variable is named after a field. As in APISIX the name may
// be spelled as that of the field is: http_X-Canary is http_x_canary.
func equalVarName(field, name string) bool {
	if len(field) != len(name) {
		return false
	}
	for i := 0; i < len(field); i++ {
		if varByte(field[i]) != varByte(name[i]) {
			return false
		}
	}
	return true
}

func varByte(c byte) byte {
	if c == '-' {
		return '_'
	}
	return lower(c)
}

// Cookie returns the first cookie of that name; names are case-sensitive.
func (r *Request) Cookie(name string) (string, bool) {
	for v := range r.Fields.Values("Cookie") {
		for v != "" {
			var part string
			part, v, _ = strings.Cut(v, ";")
			if k, val, ok := strings.Cut(trimBlanks(part), "="); ok && k == name {
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
		case c == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0:
			c = byte(unhex(s[i+1])<<4 | unhex(s[i+2]))
			i += 2
		}
		b = append(b, c)
	}
	return string(b)
}
