package gateway

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/obs"
)

var (
	requestsDesc = describe("apisix_http_requests_total", "Requests that have ended, since the start.")
	foldedDesc   = describe("unilb_metrics_folded_total", "How often a pair of route and node found no place of its own, so that it is counted under the route (other).")
	seriesDesc   = describe("unilb_metrics_series", "Pairs of route and node that are told apart.")

	infoDesc       = describe("apisix_node_info", "This node.", "hostname", "version")
	connsDesc      = describe("apisix_nginx_http_current_connections", "Connections from clients, and (total) requests since the start. reading is not told apart from waiting.", "state")
	inFlightDesc   = describe("unilb_http_requests_in_flight", "Requests under way, upgraded connections included.")
	acceptedDesc   = describe("unilb_connections_accepted_total", "Connections from clients that were accepted.")
	noRoomDesc     = describe("unilb_connections_refused_total", "Connections that were closed at once, for lack of room.")
	refusedDesc    = describe("unilb_http_refused_total", "Requests and bodies that the engine refused before any route was looked for, or while the body came.", "reason")
	bodiesDesc     = describe("unilb_match_body_bytes", "Bytes of bodies of requests that are held because conditions of routes have asked for them.")
	noBodiesDesc   = describe("unilb_match_body_refused_total", "Requests that were answered 503 because too many such bodies were held.")
	handshakesDesc = describe("unilb_tls_handshakes_total", "Handshakes with clients.", "result")

	reachableDesc = describe("apisix_etcd_reachable", "1 while every watch of etcd hears from a member, else 0.")
	indexesDesc   = describe("apisix_etcd_modify_indexes", "The highest revision of an object of each kind that was taken in; x_etcd_index: the last revision in force.", "key")
	revisionDesc  = describe("unilb_config_revision", "The revision in force of a watched directory.", "prefix")
	hashDesc      = describe("unilb_config_hash", "The first 12 of the 16 hex digits of the hash of what is in force of a watched directory, as a number.", "prefix")
	driftDesc     = describe("unilb_config_drift", "Other registered gateways that have something else in force of a watched directory at the same revision.", "prefix")
	comparedDesc  = describe("unilb_config_drift_compared", "Other registered gateways that this one was compared with the last time.", "prefix")
	objectsDesc   = describe("unilb_config_objects", "Objects in force, by kind.", "kind")
	badDesc       = describe("unilb_config_objects_refused", "Objects that cannot be used, listeners that cannot be opened among them; previous versions stay in force.")
	badKeyDesc    = describe("unilb_config_object_refused", "1 for each object that cannot be used; the first hundred in the order of keys.", "key")
	rebuiltDesc   = describe("unilb_config_objects_rebuilt_total", "Objects of etcd that were compiled, or refused, since the start.")
	resyncsDesc   = describe("unilb_etcd_resyncs_total", "How often a directory was listed again: compacted, the revisions to continue from were gone; replaced, etcd was restored or is another one.", "reason")
	resyncedDesc  = describe("unilb_etcd_resync_objects_total", "Objects that differed when a directory was listed again; the others are not rebuilt.")
	expiryDesc    = describe("unilb_certificate_expiry_timestamp_seconds", "When the first certificate of an ssl object ends, in seconds since 1970; the hundred that end first.", "id")
	staplesDesc   = describe("unilb_ocsp_certificates", "Certificates that are to be stapled, by whether they are.", "state")
	stapleAgeDesc = describe("unilb_ocsp_oldest_answer_age_seconds", "The age of the oldest answer that is stapled.")
	askedDesc     = describe("unilb_ocsp_requests_total", "Questions to OCSP responders: good brought an answer to staple, failed did not.", "result")
	secretsDesc   = describe("unilb_secrets", "References to managers of secrets: known, stale (its manager fails, a value of before stands for it), unknown.", "state")

	secretAskedDesc = describe("unilb_secret_requests_total", "Questions to managers of secrets: good brought a secret, failed did not.", "result")

	drainingDesc = describe("unilb_draining", "1 while the node drains, else 0.")

	lastInForceDesc  = describe("unilb_last_good_in_force", "1 while a directory is in force as it was on disk because etcd has not answered since the start, else 0.", "prefix")
	lastAgeDesc      = describe("unilb_last_good_age_seconds", "How long ago what is in force from disk was written.", "prefix")
	lastRevisionDesc = describe("unilb_last_good_revision", "The revision of a directory on disk.", "prefix")
	lastSavedDesc    = describe("unilb_last_good_saved_timestamp_seconds", "When this process wrote the last good configuration, in seconds since 1970.")
	lastWritesDesc   = describe("unilb_last_good_writes_total", "Writes of the last good configuration.", "result")

	healthDesc = describe("apisix_upstream_status", "Health of a checked target: 1 is served, 0 is not.", "name", "ip", "port")

	linesDesc       = describe("unilb_access_log_lines_total", "Lines of the access log that were written.")
	droppedDesc     = describe("unilb_access_log_dropped_total", "Lines of the access log that found no room because the file takes them too slowly.")
	logFailuresDesc = describe("unilb_access_log_failures_total", "Failures of writing or opening the access log.")
)

// badKeys bounds the objects that a scrape names because they cannot be used.
const badKeys = 100

// collectTotals exposes what is counted of all requests together.
func (g *Gateway) collectTotals(s *samples) {
	s.gauge(requestsDesc, float64(g.meter.Requests()))
	s.counter(foldedDesc, g.meter.Folded())
	s.gauge(seriesDesc, float64(len(g.meter.All())))
	held, refused := g.pipeline.Bodies()
	s.gauge(bodiesDesc, float64(held))
	s.counter(noBodiesDesc, refused)
}

// collectConnections exposes what the engine counts.
func (g *Gateway) collectConnections(s *samples) {
	n := g.engine.Numbers()
	inFlight := g.engine.InFlight()
	for state, v := range map[string]int64{
		"accepted": n.Accepted + n.NoRoom, "handled": n.Accepted, "total": int64(g.meter.Requests()), "active": n.Open,
		"reading": 0, "writing": int64(inFlight), "waiting": max(0, n.Open-int64(inFlight)),
	} {
		s.gauge(connsDesc, float64(v), state)
	}
	s.gauge(inFlightDesc, float64(inFlight))
	s.counter(acceptedDesc, uint64(n.Accepted))
	s.counter(noRoomDesc, uint64(n.NoRoom))
	for reason, v := range n.Refused {
		s.counter(refusedDesc, uint64(v), reason)
	}
	if h := n.Handshakes; h != nil {
		s.counter(handshakesDesc, uint64(h.Done), "done")
		s.counter(handshakesDesc, uint64(h.Failed), "failed")
	}
}

// collectConfiguration exposes what of etcd is in force.
func (g *Gateway) collectConfiguration(s *samples) {
	s.gauge(infoDesc, 1, hostname, obs.Version())
	s.gauge(drainingDesc, truth(g.node.State() == node.Draining))
	s.gauge(reachableDesc, truth(g.o.Store != nil && g.o.Store.Reachable()))
	snap, refused := g.config.status()
	counts := snap.Counts()
	s.gauge(badDesc, float64(len(refused)))
	seen := map[string]bool{} // keys that are no UTF-8 may look alike
	for _, key := range slices.Sorted(maps.Keys(refused)) {
		if name := strings.ToValidUTF8(key, "\uFFFD"); !seen[name] && len(seen) < badKeys {
			seen[name] = true
			s.gauge(badKeyDesc, 1, name)
		}
	}
	for kind, n := range map[string]int{
		"routes": counts.Routes, "services": counts.Services, "upstreams": counts.Upstreams, "ssls": counts.SSLs, "listeners": counts.Listeners,
		"global_rules": counts.GlobalRules, "plugin_configs": counts.PluginConfigs, "consumer_groups": counts.ConsumerGroups,
		"consumers": counts.Consumers, "credentials": counts.Credentials,
	} {
		s.gauge(objectsDesc, float64(n), kind)
	}
	applied, hash, indexes := g.config.revisions()
	for prefix, rev := range applied {
		s.gauge(revisionDesc, float64(rev), prefix)
		s.gauge(hashDesc, float64(hash[prefix]>>16), prefix) // a float has 53 bits
	}
	for key, rev := range indexes {
		s.gauge(indexesDesc, float64(rev), key)
	}
}

// collectDrift exposes who differs from this gateway though it is as far.
func (g *Gateway) collectDrift(s *samples) {
	drifts, compared := g.node.Drifts()
	differ := map[string]int{}
	for _, d := range drifts {
		differ[d.Prefix]++
	}
	for prefix, n := range compared {
		s.gauge(driftDesc, float64(differ[prefix]), prefix)
		s.gauge(comparedDesc, float64(n), prefix)
	}
}

// collectResyncs exposes what it took to stay with etcd.
func (g *Gateway) collectResyncs(s *samples) {
	s.counter(rebuiltDesc, g.config.objectsRebuilt())
	if g.o.Store == nil {
		return
	}
	r := g.o.Store.Resyncs()
	s.counter(resyncsDesc, r.Compacted, "compacted")
	s.counter(resyncsDesc, r.Replaced, "replaced")
	s.counter(resyncedDesc, r.Objects)
}

// collectLastGood exposes what is kept on disk, and what of it is in force.
func (g *Gateway) collectLastGood(s *samples) {
	l := g.last.status(time.Now())
	if l == nil {
		return
	}
	for _, prefix := range []string{g.o.Prefix, ListenersPrefix} {
		b, used := l.InForce[prefix]
		s.gauge(lastInForceDesc, truth(used), prefix)
		if used {
			s.gauge(lastAgeDesc, float64(b.Age), prefix)
		}
	}
	for prefix, rev := range l.Revisions {
		s.gauge(lastRevisionDesc, float64(rev), prefix)
	}
	if l.Saved != nil {
		s.gauge(lastSavedDesc, float64(l.Saved.Unix()))
	}
	s.counter(lastWritesDesc, l.Writes, "done")
	s.counter(lastWritesDesc, l.Failures, "failed")
}

// collectExpiries exposes the ends of certificates, the nearest of them.
func (g *Gateway) collectExpiries(s *samples) {
	const most = 100
	ends := g.config.expiries()
	ids := slices.SortedFunc(maps.Keys(ends), func(a, b string) int {
		return cmp.Or(ends[a].Compare(ends[b]), cmp.Compare(a, b))
	})
	for _, id := range ids[:min(len(ids), most)] {
		s.gauge(expiryDesc, float64(ends[id].Unix()), strings.ToValidUTF8(id, "\uFFFD"))
	}
}

// collectStaples exposes what is stapled, and how asking for it goes.
func (g *Gateway) collectStaples(s *samples) {
	c := g.staples.Counts()
	s.counter(askedDesc, c.Good, "good")
	s.counter(askedDesc, c.Failed, "failed")
	s.gauge(staplesDesc, float64(c.Stapled), "stapled")
	s.gauge(staplesDesc, float64(c.Wanted-c.Stapled), "without")
	if !c.Oldest.IsZero() {
		s.gauge(stapleAgeDesc, time.Since(c.Oldest).Seconds())
	}
}

// collectHealth exposes the state of checked targets, from the table that decides who
// gets requests.
func (g *Gateway) collectHealth(s *samples) {
	type target struct {
		name, ip string
		port     int
	}
	seen := map[target]bool{} // an upstream may name a target twice
	g.health.each(func(key, host string, port int, usable bool) {
		t := target{g.o.Prefix + "/" + key, host, port}
		if !seen[t] {
			seen[t] = true
			s.gauge(healthDesc, truth(usable), t.name, t.ip, strconv.Itoa(t.port))
		}
	})
}

// collectLog exposes what became of the lines of the access log.
func (g *Gateway) collectLog(s *samples) {
	if g.access == nil {
		return
	}
	c := g.access.lines.Counts()
	s.counter(linesDesc, uint64(c.Written))
	s.counter(droppedDesc, uint64(c.Dropped))
	s.counter(logFailuresDesc, uint64(c.Failures))
}
