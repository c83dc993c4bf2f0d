package cases

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// all says whether every expression of a list holds; a list may begin with a
// logical word.
func (g *reference) all(r *http.Request, path string, list []any) bool {
	if len(list) == 0 {
		return true
	}
	word, _ := list[0].(string)
	word = strings.ToUpper(word)
	parts := list
	if word != "" {
		parts = list[1:]
	}
	if g.is("logic is flat") && word != "" {
		parts = slices.DeleteFunc(slices.Clone(parts), func(p any) bool { l, _ := p.([]any)[0].(string); return l == "OR" })
	}
	every, some := true, false
	for _, p := range parts {
		ok := g.term(r, path, p.([]any))
		every, some = every && ok, some || ok
	}
	switch {
	case word == "OR" && !g.is("OR is AND"):
		return some
	case word == "!AND" && g.is("!AND is !OR"), word == "!OR" && !g.is("!OR is !AND"):
		return !some
	case word == "!AND", word == "!OR":
		return !every
	}
	return every
}

// term is [var, op, value], [var, "!", op, value], [var, value] or a list.
func (g *reference) term(r *http.Request, path string, t []any) bool {
	name, ok := t[0].(string)
	if !ok || slices.Contains([]string{"AND", "OR", "!AND", "!OR"}, strings.ToUpper(name)) {
		return g.all(r, path, t)
	}
	if isInBody(name) {
		return len(t) == 3 && g.compareValue(t[1].(string), g.inBody(r, name), t[2])
	}
	value, there := g.variable(r, path, name)
	if !there && g.is("absent is empty") {
		there = true
	}
	if !there && g.is("nothing holds for what is absent") {
		return false
	}
	switch len(t) {
	case 2:
		short, _ := t[1].(string)
		if !g.is("the short form keeps case") {
			short = strings.ToLower(short)
		}
		return there && value == short
	case 4:
		return g.is("ignores !") == g.compare(t[2].(string), value, there, t[3])
	}
	return g.compare(t[1].(string), value, there, t[2])
}

func (g *reference) compare(op, left string, there bool, right any) bool {
	text, _ := right.(string)
	number, isNumber := right.(float64)
	if g.is("numbers are text") && isNumber {
		text, isNumber = strconv.Itoa(int(number)), false
	}
	n, err := strconv.ParseFloat(left, 64)
	if g.is("a word is 0") {
		err = nil
	}
	if !g.is("operators have case") {
		op = strings.ToLower(op)
	}
	switch op {
	case "==":
		switch {
		case right == nil:
			return !there
		case isNumber:
			return err == nil && n == number
		}
		return there && left == text
	case "~=":
		return !g.compare("==", left, there, right)
	case "~~", "~*":
		return there && g.found(op, text, left)
	case "in":
		list, ok := right.([]any)
		if !ok && g.is("a part is in") {
			list = []any{right}
		}
		return there && slices.ContainsFunc(list, func(e any) bool {
			s, _ := e.(string)
			return s == left || g.is("a part is in") && strings.Contains(s, left)
		})
	case "has":
		return false
	case "ipmatch":
		return g.ipmatch(left, right)
	}
	if !isNumber {
		return there && map[string]bool{">": left > text, ">=": left >= text, "<": left < text, "<=": left <= text}[op]
	}
	return err == nil && map[string]bool{">": n > number, ">=": n >= number, "<": n < number, "<=": n <= number}[op]
}

func (g *reference) found(op, pattern, text string) bool {
	if op == "~*" || g.is("patterns have no case") {
		pattern = "(?i)" + pattern
	}
	if short, ok := strings.CutSuffix(pattern, "$"); ok && !g.is("$ is the very end") {
		pattern = short + `\n?\z`
	}
	if g.is("patterns are anchored") {
		pattern = "^(?:" + pattern + ")$"
	}
	ahead := regexp.MustCompile(`\(\?!([^)]*)\)`)
	if look := ahead.FindStringSubmatch(pattern); look != nil && !g.is("looks neither ahead nor behind") {
		rest := regexp.MustCompile(strings.Replace(pattern, look[0], "", 1))
		return rest.MatchString(text) && !regexp.MustCompile(strings.Replace(pattern, look[0], "(?:"+look[1]+")", 1)).MatchString(text)
	}
	re, err := regexp.Compile(pattern)
	return err == nil && re.MatchString(text)
}

func (g *reference) ipmatch(left string, right any) bool {
	list, ok := right.([]any)
	if !ok {
		list = []any{right}
	}
	return slices.ContainsFunc(list, func(e any) bool {
		s := e.(string)
		if g.is("ipmatch is text") {
			return strings.HasPrefix(left, strings.TrimRight(strings.Split(s, "/")[0], "0"))
		}
		return inside(left, s)
	})
}

// variable is the value of a variable of nginx.
func (g *reference) variable(r *http.Request, path, name string) (string, bool) {
	kind, rest, _ := strings.Cut(name, "_")
	switch {
	case strings.HasPrefix(name, "http_x_forwarded_"):
		if v, there, ok := g.toldField(r, http.CanonicalHeaderKey(strings.TrimPrefix(name, "http_x_forwarded_"))); ok {
			return v, there
		}
		return g.header(r, rest)
	case kind == "original" && !g.is("knows no claims"):
		return g.header(r, rest)
	case kind == "http":
		return g.header(r, rest)
	case kind == "cookie":
		return g.cookie(r, rest)
	case kind == "arg":
		return g.arg(r, rest)
	case g.is("knows fields only"):
		return "", false
	case strings.HasPrefix(name, "uri_param_"):
		return g.parameter(path, strings.TrimPrefix(name, "uri_param_"))
	}
	if r.TLS != nil && strings.HasPrefix(name, "ssl_") {
		v := g.handshake(r.TLS, name)
		if who := r.TLS.PeerCertificates; name == "ssl_client_s_dn" && len(who) > 0 && !g.is("knows no certificates of clients") {
			v = who[0].Subject.String()
		}
		if name == "ssl_client_verify" && !g.is("knows no certificates of clients") {
			v, _ = r.Context().Value(verified{}).(string)
		}
		return v, v != ""
	}
	now := time.Now()
	if g.is("its time stands still") {
		now = time.Unix(0, 0)
	}
	v, ok := map[string]string{
		"time_iso8601": now.Format("2006-01-02T15:04:05-07:00"), "time_local": now.Format("02/Jan/2006:15:04:05 -0700"), "msec": fmt.Sprintf("%.3f", float64(now.UnixMilli())/1000),
		"request_method": r.Method, "uri": path, "host": g.hostOf(r), "args": r.URL.RawQuery, "scheme": "http", "request_uri": g.requestURI(r, path), "real_request_uri": r.RequestURI,
	}[name]
	switch name {
	case "remote_addr":
		v, ok = g.routedBy(r), true
	case "realip_remote_addr":
		v, ok = peerOf(r), true
		if g.is("forgets the proxy") {
			v = g.clientOf(r)
		}
	}
	return v, ok && v != ""
}

func (g *reference) requestURI(r *http.Request, path string) string {
	switch {
	case g.is("request_uri is as it was sent"):
		return r.RequestURI
	case r.URL.RawQuery == "":
		return path
	}
	return path + "?" + r.URL.RawQuery
}

// handshake is a variable of a connection with TLS.
func (g *reference) handshake(s *tls.ConnectionState, name string) string {
	suite := tls.CipherSuiteName(s.CipherSuite)
	if s.Version == tls.VersionTLS12 {
		suite = strings.NewReplacer("TLS_", "", "_WITH", "", "AES_", "AES", "_", "-").Replace(suite)
	}
	return map[string]string{
		"ssl_server_name": s.ServerName, "ssl_cipher": suite, "ssl_session_reused": ".",
		"ssl_protocol": g.version(s.Version),
	}[name]
}

func (g *reference) version(v uint16) string {
	if g.is("has its own words of TLS") {
		return tls.VersionName(v)
	}
	return map[uint16]string{tls.VersionTLS12: "TLSv1.2", tls.VersionTLS13: "TLSv1.3"}[v]
}

func (g *reference) header(r *http.Request, name string) (string, bool) {
	if !g.is("keeps _ in names of fields") {
		name = strings.ReplaceAll(name, "_", "-")
	}
	if g.is("names of variables have case") && name != strings.ToLower(name) {
		return "", false
	}
	vs := r.Header.Values(name)
	between := ", "
	if strings.EqualFold(name, "Cookie") && !g.is("joins lines of cookies by commas") {
		between = "; "
	}
	return strings.Join(vs, between), len(vs) > 0
}

func (g *reference) cookie(r *http.Request, name string) (string, bool) {
	for part := range strings.SplitSeq(r.Header.Get("Cookie"), ";") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		if k == name || g.is("cookies without case") && strings.EqualFold(k, name) || g.is("a cookie ends so") && strings.HasSuffix(k, name) {
			return v, true
		}
		if g.is("first cookie only") {
			break
		}
	}
	return "", false
}

func (g *reference) arg(r *http.Request, name string) (string, bool) {
	q, _ := url.ParseQuery(r.URL.RawQuery)
	vs := q[name]
	if g.is("an argument ends so") {
		for k, v := range q {
			if strings.HasSuffix(k, name) {
				vs = v
			}
		}
	}
	if len(vs) == 0 {
		return "", false
	}
	if g.is("last argument") {
		return vs[len(vs)-1], true
	}
	return vs[0], true
}
