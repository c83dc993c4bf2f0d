package cases

import (
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"
)

// exactHost is the rank of a host without a star.
const exactHost = 10_000

// hostOf is the host that a request is matched by.
func (g *reference) hostOf(r *http.Request) string {
	host := r.Host
	absolute := strings.HasPrefix(r.RequestURI, "http://")
	switch {
	case g.is("an absolute target has no host") && absolute:
		return ""
	case g.is("believes Host over the target") && absolute:
		host = r.Context().Value(overheardKey{}).(*overheard).host.Load().(string)
	case g.is("believes X-Forwarded-Host") && r.Header.Get("X-Forwarded-Host") != "":
		host = r.Header.Get("X-Forwarded-Host")
	}
	if !g.is("host with port") {
		switch h, port, err := net.SplitHostPort(host); {
		case err == nil && (port != "" || !g.is("keeps an empty port")):
			host = h
		case g.is("cuts hosts at a colon"):
			host, _, _ = strings.Cut(host, ":")
		}
		if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
			host = "[" + host + "]"
		}
	}
	if !g.is("host with a dot") {
		host = strings.TrimSuffix(host, ".")
	}
	if !g.is("host with case") {
		host = strings.ToLower(host)
	}
	return host
}

// pathOf is the path that a request is matched by.
func (g *reference) pathOf(r *http.Request) string {
	p := r.URL.Path
	switch {
	case g.is("matches the whole target") && strings.HasPrefix(r.RequestURI, "http://"):
		return r.RequestURI
	case g.is("matches the query"):
		p, _, _ = strings.Cut(r.RequestURI, "#")
	case g.is("believes X-Original-URL") && r.Header.Get("X-Original-URL") != "":
		p = r.Header.Get("X-Original-URL")
	case g.is("decodes nothing"):
		p = r.URL.EscapedPath()
	case g.is("keeps encoded slashes"):
		p = strings.NewReplacer("%2F", "\x01", "%2f", "\x01").Replace(r.URL.EscapedPath())
	case g.is("adds a slash"):
		p = strings.TrimSuffix(p, "/") + "/"
	case g.is("an empty path is no path") && p == "", g.is("resolves nothing"):
		return p
	case g.is("resolves before it decodes"):
		p, _ = url.PathUnescape(resolve(r.URL.EscapedPath()))
		return p
	case g.is("decodes twice"):
		p, _ = url.PathUnescape(p)
	}
	return resolve(p)
}

// resolve merges slashes and resolves dots, and keeps ".." that would leave the
// root.
func resolve(p string) string {
	var out []string
	segments := strings.Split(p, "/")
	for i, s := range segments {
		last := i == len(segments)-1
		switch {
		case s == "" && !last, s == "." && !last:
		case s == ".." && len(out) > 0:
			out = out[:len(out)-1]
			if last {
				out = append(out, "")
			}
		case s == ".":
			out = append(out, "")
		default:
			out = append(out, s)
		}
	}
	return "/" + strings.Join(out, "/")
}

// specialPath matches what is neither a plain path nor a plain prefix.
func (g *reference) specialPath(uri, path string) (exact bool, prefix int, ok, special bool) {
	before, after, star := strings.Cut(uri, "*")
	switch {
	case g.router == byParameter && strings.Contains(uri, "/:") && !g.is("knows no parameters"):
		exact, prefix, ok = g.parameterPath(uri, path)
		return exact, prefix, ok, true
	case star && after != "" && !g.is("a star ends a path"):
		rest := `.*`
		if g.is("a star is one segment") {
			rest = `[^/]*`
		}
		_, after, _ = strings.Cut(after, "/")
		if re := regexp.QuoteMeta(before) + rest + "/" + regexp.QuoteMeta(after); !g.is("a star inside has no end") {
			return false, len(before), regexp.MustCompile(`(?s)^` + re + `$`).MatchString(path), true
		}
		return false, len(before), strings.HasPrefix(path, before), true
	case star && after != "":
		return false, len(before), strings.HasPrefix(path, before), true
	case g.is("paths are expressions"):
		re, err := regexp.Compile("^" + strings.Replace(uri, "*", ".*", 1) + "$")
		return !star, len(before), err == nil && re.MatchString(path), true
	case g.is("knows parameters") && strings.Contains(uri, ":"):
		return true, 0, regexp.MustCompile("^" + regexp.MustCompile(":[a-z]+").ReplaceAllString(uri, "[^/]+") + "$").MatchString(path), true
	case g.is("the root is a prefix") && uri == "/":
		return false, 1, true, true
	case g.is("drops slashes") && !star:
		return true, 0, strings.TrimSuffix(uri, "/") == strings.TrimSuffix(path, "/"), true
	}
	return false, 0, false, false
}

// rankOf is the length of a prefix, and lengthOf that of its whole path.
func (g *reference) rankOf(uri string, prefix int) int {
	if g.is("the longest path wins") {
		return len(uri)
	}
	return prefix
}

func (g *reference) lengthOf(uri string) int {
	if g.is("ignores the length of paths") {
		return 0
	}
	return len(uri)
}

// overheard remembers the Host field of the newest request of a connection, which
// the library drops when the target is in absolute form.
type overheard struct {
	net.Conn
	host atomic.Value
	born time.Time
}

type overheardKey struct{}

func (c *overheard) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if _, rest, ok := strings.Cut(string(b[:n]), "\r\nHost: "); ok {
		host, _, _ := strings.Cut(rest, "\r\n")
		c.host.Store(host)
	}
	return n, err
}

// overhearing hands out such connections.
type overhearing struct{ net.Listener }

func (l overhearing) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &overheard{Conn: c, born: time.Now()}, nil
}
