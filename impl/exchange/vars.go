package exchange

import (
	"strconv"
	"strings"
)

// Var returns the value of an nginx variable of the request, by its name
// without "$". The second result is false for a variable that is absent (a
// header that was not sent) and for one that we do not know.
//
// It makes a request usable in vars expressions. Numbers come as text.
func (r *Request) Var(name string) (string, bool) {
	switch name {
	case "uri":
		return r.Path, true
	case "request_uri":
		return r.Target, true
	case "args", "query_string":
		return r.Query, r.Query != ""
	case "host":
		return r.Host, r.Host != ""
	case "request_method":
		return r.Method, true
	case "scheme":
		return r.Scheme, true
	case "server_protocol":
		return r.Proto.String(), true
	case "remote_addr":
		return r.Remote.Addr().String(), r.Remote.IsValid()
	case "remote_port":
		return strconv.Itoa(int(r.Remote.Port())), r.Remote.IsValid()
	case "server_addr":
		return r.Local.Addr().String(), r.Local.IsValid()
	case "server_port":
		return strconv.Itoa(int(r.Local.Port())), r.Local.IsValid()
	case "http_host":
		return r.Authority, r.Authority != ""
	}
	if h, ok := strings.CutPrefix(name, "http_"); ok {
		return r.headerVar(h)
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
	return "", false
}

// headerVar finds a header by the form it has in variable names: lower case,
// "_" for "-". nginx joins repeated fields with ", "; so do we.
func (r *Request) headerVar(name string) (string, bool) {
	value, found := "", false
	for _, f := range r.Fields {
		if !equalVarName(f.Name, name) {
			continue
		}
		if found {
			value += ", " + f.Value
			continue
		}
		value, found = f.Value, true
	}
	return value, found
}

func equalVarName(field, name string) bool {
	if len(field) != len(name) {
		return false
	}
	for i := 0; i < len(field); i++ {
		c := lower(field[i])
		if c == '-' {
			c = '_'
		}
		if c != name[i] {
			return false
		}
	}
	return true
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

// queryArg returns the first raw value of a query argument.
func queryArg(query, name string) (string, bool) {
	for query != "" {
		var part string
		part, query, _ = strings.Cut(query, "&")
		k, v, _ := strings.Cut(part, "=")
		if k == name {
			return v, true
		}
	}
	return "", false
}
