package explain

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// A Question is a request as it comes out of an engine, and what else is asked about it.
type Question struct {
	Request  exchange.Request
	SNI      string // of the handshake, with the scheme https
	Consumer string // who is identified; empty: nobody
	Route    string // id of a route to tell about whether it matches or not
	Most     int    // candidates that are listed of each kind; 0: DefaultMost
}

// A Form is a Question as people write it.
type Form struct {
	Method string // empty: GET, or with a Body POST
	// URL is absolute, or a path where a Host is among Headers. It is taken as it stands:
	// escapes and dots are for the gateway to resolve.
	URL     string
	Headers []string // "Name: value"
	// Head is a whole head as it would be sent, in the place of the three above. What
	// follows its empty line is a body.
	Head []byte
	// Body is the body of the request; nil: the question has none, and what depends on
	// it cannot be told.
	Body []byte
	// Scheme counts where URL has none; empty: http.
	Scheme string
	// Remote is the client, an address with or without a port. Local is the address that
	// its connection came to, with or without a port; empty: that of URL, when it is one.
	Remote, Local        string
	SNI                  string // empty: the host, unless it is an address
	Consumer, Route, Max string
}

// FormOf reads a form of a query: method, url, header (each once or more), body, scheme,
// remote, local, sni, consumer, route, max.
func FormOf(q url.Values) *Form {
	f := &Form{
		Method: q.Get("method"), URL: q.Get("url"), Headers: q["header"], Scheme: q.Get("scheme"), Remote: q.Get("remote"),
		Local: q.Get("local"), SNI: q.Get("sni"), Consumer: q.Get("consumer"), Route: q.Get("route"), Max: q.Get("max"),
	}
	if q.Has("body") {
		f.Body = []byte(q.Get("body"))
	}
	return f
}

// Values is the reverse of FormOf; a Head is left out.
func (f *Form) Values() url.Values {
	q := url.Values{"header": f.Headers}
	for name, v := range map[string]string{"method": f.Method, "url": f.URL, "scheme": f.Scheme, "remote": f.Remote, "local": f.Local,
		"sni": f.SNI, "consumer": f.Consumer, "route": f.Route, "max": f.Max} {
		if v != "" {
			q.Set(name, v)
		}
	}
	if f.Body != nil {
		q.Set("body", string(f.Body))
	}
	return q
}

// Question reads the form as an engine reads a request. The error says what is wrong with it.
func (f *Form) Question() (*Question, error) {
	q := &Question{SNI: f.SNI, Consumer: f.Consumer, Route: f.Route}
	head, body, scheme, err := f.head()
	if err != nil {
		return nil, err
	}
	var framing h1.Framing
	if err := h1.ParseRequest(head, &q.Request, &exchange.Arena{}, &framing); err != nil {
		return nil, fmt.Errorf("the gateway refuses such a request with %d: %w", h1.ReasonOf(err).Status(), err)
	}
	r := &q.Request
	if r.Method == "CONNECT" {
		return nil, errors.New("no route is for CONNECT")
	}
	r.Scheme, r.Stable = scheme, true
	switch {
	case body != nil:
		r.BodyLength, r.Body = int64(len(body)), exchange.Body{State: exchange.BodyWhole, Bytes: body}
	case r.BodyLength == 0 && r.Fields.Has("Content-Type"):
		r.BodyLength = -1 // one that was not said
	}
	if r.Remote, err = addrPort("remote", f.Remote, 0); err != nil {
		return nil, err
	}
	port := uint16(80)
	if scheme == "https" {
		port = 443
	}
	local := f.Local
	if local == "" {
		if _, err := addrPort("", r.Authority, port); err == nil {
			local = r.Authority
		}
	}
	if r.Local, err = addrPort("local", local, port); err != nil {
		return nil, err
	}
	if _, err := netip.ParseAddr(strings.Trim(r.Host, "[]")); q.SNI == "" && err != nil {
		q.SNI = r.Host
	}
	if f.Max != "" {
		if q.Most, err = strconv.Atoi(f.Max); err != nil || q.Most < 1 || q.Most > maxMost {
			return nil, fmt.Errorf("max %q: want 1 to %d", f.Max, maxMost)
		}
	}
	return q, nil
}

// head is the head as it would be sent, with the body, nil when it was not said.
func (f *Form) head() (head, body []byte, scheme string, err error) {
	body = f.Body
	if scheme = f.Scheme; scheme == "" {
		scheme = "http"
	}
	if len(f.Head) > 0 {
		head, follows := wholeHead(f.Head)
		if body == nil {
			body = follows
		}
		return head, body, scheme, known(scheme)
	}
	if f.URL == "" {
		return nil, nil, "", errors.New("no url: want one such as http://shop.example/cart, or /cart with a header Host")
	}
	target, authority := f.URL, ""
	if before, rest, ok := strings.Cut(f.URL, "://"); ok {
		scheme = strings.ToLower(before)
		at := strings.IndexAny(rest, "/?")
		if at < 0 {
			at = len(rest)
		}
		authority, target = rest[:at], rest[at:]
		if !strings.HasPrefix(target, "/") {
			target = "/" + target
		}
	}
	target, _, _ = strings.Cut(target, "#") // nobody sends it
	method := f.Method
	switch {
	case method == "" && body != nil:
		method = "POST"
	case method == "":
		method = "GET"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", method, target)
	hosted := false
	for _, h := range f.Headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			return nil, nil, "", fmt.Errorf("header %q: want Name: value", h)
		}
		hosted = hosted || strings.EqualFold(strings.TrimSpace(name), "host")
		fmt.Fprintf(&b, "%s: %s\r\n", strings.TrimSpace(name), strings.TrimSpace(value))
	}
	if !hosted {
		if authority == "" {
			return nil, nil, "", fmt.Errorf("url %q: want an absolute one, or a header Host", f.URL)
		}
		fmt.Fprintf(&b, "Host: %s\r\n", authority)
	}
	b.WriteString("\r\n")
	return b.Bytes(), body, scheme, known(scheme)
}

func known(scheme string) error {
	if scheme != "http" && scheme != "https" {
		return fmt.Errorf("scheme %q: want http or https", scheme)
	}
	return nil
}

// wholeHead makes a head of what people paste: lines may end without a carriage return, and
// the empty line at the end may be missing. What follows that is the body; nil: nothing.
func wholeHead(b []byte) (head, body []byte) {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	if bytes.HasSuffix(line, []byte("\r")) {
		head, body, _ = bytes.Cut(b, []byte("\r\n\r\n"))
	} else {
		head, body, _ = bytes.Cut(b, []byte("\n\n"))
		head = bytes.ReplaceAll(head, []byte("\n"), []byte("\r\n"))
	}
	if len(bytes.TrimSpace(body)) == 0 {
		body = nil
	}
	return append(bytes.TrimRight(head, "\r\n"), "\r\n\r\n"...), body
}

// addrPort reads an address with or without a port; empty: none.
func addrPort(what, s string, port uint16) (netip.AddrPort, error) {
	if s == "" {
		return netip.AddrPort{}, nil
	}
	if at, err := netip.ParseAddrPort(s); err == nil {
		return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), nil
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%s %q: want an address such as 198.18.0.3 or 203.0.113.10:80", what, s)
	}
	return netip.AddrPortFrom(a.Unmap(), port), nil
}
