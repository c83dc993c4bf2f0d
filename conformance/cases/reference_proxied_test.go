package cases

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
)

// referenceProxy is the address from which the reference believes what is said of clients.
const referenceProxy = "127.0.0.2"

// hops is the reference behind proxies, when it is.
type hops struct {
	behind bool
	said   sync.Map // of a bug: client by connection
}

// peerOf is the other end of the connection.
func peerOf(r *http.Request) string {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	return host
}

// believes says whether the other end is a proxy of ours.
func (g *reference) believes(r *http.Request) bool {
	switch {
	case !g.behind, g.is("believes no proxy"):
		return false
	case g.is("takes anybody for a proxy"):
		return true
	case g.is("takes who names a proxy for one"):
		return peerOf(r) == referenceProxy || r.Header.Get("X-Real-IP") == referenceProxy || strings.Contains(r.Header.Get("X-Forwarded-For"), referenceProxy)
	}
	return peerOf(r) == referenceProxy
}

// clientOf is who asks: the other end, or whom it names when it is believed.
func (g *reference) clientOf(r *http.Request) string {
	said := r.Header.Get("X-Real-IP")
	if !g.believes(r) || said == "" {
		if was, ok := g.said.Load(r.RemoteAddr); ok {
			return was.(string)
		}
		return peerOf(r)
	}
	list := strings.Split(said, ",")
	last := strings.TrimSpace(list[len(list)-1])
	if g.is("takes the first address of several") {
		last = strings.TrimSpace(list[0])
	}
	if at, err := netip.ParseAddrPort(last); err == nil && !g.is("knows no ports of clients") {
		last = at.Addr().String()
	}
	if _, err := netip.ParseAddr(last); err != nil && !g.is("takes any text for an address") {
		return peerOf(r)
	}
	if g.is("remembers whom a proxy named") {
		was, _ := g.said.LoadOrStore(r.RemoteAddr, last)
		return was.(string)
	}
	return last
}

// routedBy is whose address routes are chosen by.
func (g *reference) routedBy(r *http.Request) string {
	if g.is("routes by the proxy") {
		return peerOf(r)
	}
	return g.clientOf(r)
}

// chain is what goes before the client in X-Forwarded-For.
func (g *reference) chain(r *http.Request) []string {
	before := r.Header.Values("X-Forwarded-For")
	if g.behind && !g.believes(r) && !g.is("hands chains of strangers on") || g.behind && g.is("begins every chain anew") {
		return nil
	}
	return before
}

// forward says in h what the gateway saw, where nobody who is believed has said it.
func (g *reference) forward(h http.Header, r *http.Request, name, seen string) {
	if g.believes(r) && !g.is("overwrites what proxies say") && (h.Get(name) != "" || g.is("adds nothing to what proxies say")) {
		return
	}
	h.Set(name, seen)
}

// toldField is X-Forwarded-Proto, -Host or -For as conditions see it; ok: by a rule of its
// own.
func (g *reference) toldField(r *http.Request, name string) (value string, there, ok bool) {
	believed := g.believes(r) && !g.is("conditions believe no proxy") || g.is("conditions believe clients")
	said := r.Header.Get("X-Forwarded-" + name)
	switch {
	case believed && said != "":
		return said, true, true
	case g.is("conditions believe clients"):
		return "", false, false
	case name == "Proto":
		return g.scheme(r), true, true
	case name == "Host":
		return g.hostOf(r), true, true
	}
	return "", false, g.behind && !believed
}
