package cases

import (
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

var hopByHop = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Transfer-Encoding", "Upgrade"}

func strip(h http.Header) {
	for _, v := range h.Values("Connection") {
		for name := range strings.SplitSeq(v, ",") {
			h.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range hopByHop {
		h.Del(name)
	}
}

// header is what the target is told.
func (a *attempt) header() http.Header {
	g, r, h := a.g, a.r, a.r.Header.Clone()
	upgrade := h.Get("Upgrade")
	if !g.is("copies request headers") && !g.is("strips what it added") {
		strip(h)
	}
	if g.is("passes upgrades") && upgrade != "" {
		h.Set("Upgrade", upgrade)
	}
	g.muddle(h, "turns lines round")
	client, before := g.clientOf(r), g.chain(r)
	if g.is("tells targets of the proxy") {
		client = peerOf(r)
	}
	switch {
	case g.is("no forwarded-for"):
	case g.is("replaces forwarded-for"):
		h.Set("X-Forwarded-For", client)
	default:
		h.Set("X-Forwarded-For", strings.Join(append(before, client), ", "))
	}
	if !g.is("passes Forwarded") && (!g.believes(r) || g.is("overwrites what proxies say")) {
		h.Del("Forwarded")
	}
	if !g.is("believes clients") {
		g.forward(h, r, "X-Forwarded-Proto", g.scheme(r))
		g.forward(h, r, "X-Forwarded-Host", r.Host)
		h.Set("X-Real-IP", client)
	}
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok && !g.is("believes the client's port") {
		g.forward(h, r, "X-Forwarded-Port", strconv.Itoa(local.Port))
	}
	if _, named := h["User-Agent"]; !named {
		h["User-Agent"] = nil // or the library adds its own
	}
	if g.is("strips what it added") {
		strip(h)
	}
	if g.is("keeps crumbs") {
		var crumbs []string
		for _, v := range h["Cookie"] {
			crumbs = append(crumbs, strings.Split(v, "; ")...)
		}
		h["Cookie"] = crumbs
	}
	return h
}

// muddle is what a gateway does to headers that takes them for a map.
func (g *reference) muddle(h http.Header, turned string) {
	for name, vs := range h {
		switch {
		case g.is("drops empty values"):
			h[name] = slices.DeleteFunc(vs, func(v string) bool { return v == "" })
		case g.is("keeps one line of a name"):
			h[name] = vs[len(vs)-1:]
		case g.is(turned):
			slices.Reverse(vs)
		case g.is("joins lines"):
			h[name] = []string{strings.Join(vs, ", ")}
		}
	}
}
