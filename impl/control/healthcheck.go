package control

import (
	"cmp"
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/config"
)

// sources are what may have an upstream with a check. A gateway has no stream routes.
var sources = map[string]config.Kind{
	"routes": config.Routes, "services": config.Services, "upstreams": config.Upstreams, "stream_routes": config.Other,
}

func (h *handler) healthcheck(w http.ResponseWriter, r *http.Request) {
	list := h.Health.Checkers()
	for i := range list {
		list[i].Name = h.Prefix + "/" + list[i].Key
	}
	slices.SortFunc(list, func(a, b Checker) int { return cmp.Compare(a.Name, b.Name) })
	if wantsPage(r) {
		givePage(w, list)
		return
	}
	if list == nil {
		list = []Checker{}
	}
	answer(w, http.StatusOK, list)
}

// checker answers the checker of one object, in APISIX's words.
func (h *handler) checker(w http.ResponseWriter, r *http.Request) {
	kind, id := r.PathValue("type"), r.PathValue("id")
	if id == "" {
		fail(w, http.StatusBadRequest, "missing src id for src type "+kind)
		return
	}
	k, known := sources[kind]
	if !known {
		fail(w, http.StatusBadRequest, "invalid src type "+kind)
		return
	}
	if _, ok := h.Snapshot().Stored(k, id); !ok {
		fail(w, http.StatusNotFound, fmt.Sprintf("%s[%s] not found", kind, id))
		return
	}
	c, ok := h.Health.Checker(kind + "/" + id)
	if !ok {
		fail(w, http.StatusNotFound, fmt.Sprintf("no checker for %s[%s]", kind, id))
		return
	}
	c.Name = h.Prefix + "/" + c.Key
	if wantsPage(r) {
		givePage(w, []Checker{c})
		return
	}
	answer(w, http.StatusOK, c)
}

func wantsPage(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

// givePage answers a table with a row for each target. It is XML as well: tools read it so.
func givePage(w http.ResponseWriter, list []Checker) {
	var b strings.Builder
	b.WriteString("<html>\n<head>\n<title>APISIX upstream check status</title>\n</head>\n<body>\n<h1>APISIX upstream check status</h1>\n" +
		"<table style=\"background-color:white\" cellspacing=\"0\" cellpadding=\"3\" border=\"1\">\n" +
		"<tr bgcolor=\"#C0C0C0\"><th>Index</th><th>Upstream</th><th>Check type</th><th>Host</th><th>Status</th>" +
		"<th>Success counts</th><th>TCP Failures</th><th>HTTP Failures</th><th>TIMEOUT Failures</th></tr>\n")
	row := 0
	for _, c := range list {
		for _, n := range c.Nodes {
			row++
			color := "#F0F0F0"
			if n.Status.String() == "unhealthy" || n.Status.String() == "mostly_unhealthy" {
				color = "#FF0000"
			}
			fmt.Fprintf(&b, "<tr bgcolor=%q><td>%d</td><td>%s</td><td>%s</td><td>%s:%d</td><td>%s</td><td>%d</td><td>%d</td><td>%d</td><td>%d</td></tr>\n",
				color, row, html.EscapeString(c.Name), html.EscapeString(c.Type), html.EscapeString(n.IP), n.Port, n.Status,
				n.Counter.Success, n.Counter.TCPFailure, n.Counter.HTTPFailure, n.Counter.Timeout)
		}
	}
	b.WriteString("</table>\n</body>\n</html>\n")
	w.Header().Set("Content-Type", "text/html")
	_, _ = w.Write([]byte(b.String()))
}
