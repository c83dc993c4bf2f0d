package config

import (
	"crypto/tls"
	"fmt"
)

// Resolved is what applies to a request of a route, after the merge of route
// and service. The first that has a value wins: route, service, upstream. Plugins says
// which plugins do.
type Resolved struct {
	Upstream *Upstream
	// ClientCert is shown to targets that ask for one; nil: none.
	ClientCert *tls.Certificate
	Timeouts   Timeouts
	Websocket  bool
}

// MissingError is the error of Resolve: an object the route needs is not there.
type MissingError struct {
	What Missing
	ID   string
}

// Missing says which object is not there.
type Missing uint8

// What may be missing.
const (
	MissingUpstream      Missing = iota // an upstream_id that does not exist
	MissingService                      // a service_id that does not exist
	MissingClientCert                   // a tls.client_cert_id that is no client certificate (any more)
	MissingAnyBackend                   // neither route nor service name an upstream, or it has no nodes
	MissingPluginConfig                 // a plugin_config_id that does not exist
	MissingConsumer                     // nobody has the name
	MissingConsumerGroup                // a group_id that does not exist
	MissingDiscovery                    // a discovery_type that nobody knows
	MissingBalancer                     // an algorithm that nobody knows
)

func (e *MissingError) Error() string {
	switch e.What {
	case MissingService:
		return fmt.Sprintf("service %s does not exist", e.ID)
	case MissingAnyBackend:
		return "missing upstream configuration in Route or Service"
	case MissingPluginConfig:
		return fmt.Sprintf("plugin config %s does not exist", e.ID)
	case MissingConsumer:
		return fmt.Sprintf("consumer %s does not exist", e.ID)
	case MissingConsumerGroup:
		return fmt.Sprintf("consumer group %s does not exist", e.ID)
	case MissingDiscovery:
		return "unknown discovery type " + e.ID
	case MissingBalancer:
		return "unknown upstream type " + e.ID
	case MissingClientCert:
		return fmt.Sprintf("ssl %s does not exist or is no client certificate", e.ID)
	}
	return fmt.Sprintf("upstream %s does not exist", e.ID)
}

// Resolve follows the references of a route. The error is a *MissingError or a
// *ClosedError, and of several things that are wrong it is about the one that APISIX
// would meet first. As in APISIX, an inline upstream or an upstream_id of the route
// replaces either kind of the service, and a timeout of the route replaces the upstream's.
func (s *Snapshot) Resolve(r *Route) (Resolved, error) {
	out := Resolved{Upstream: r.Inline}
	id := r.UpstreamID
	websocket := r.websocket
	ls, svc, err := s.layersOf(r)
	if err != nil {
		return out, err
	}
	if svc != nil {
		if out.Upstream == nil && id == "" {
			out.Upstream, id = svc.Inline, svc.Spec.UpstreamID
		}
		if websocket == left {
			websocket = settingOf(svc.Spec.EnableWebsocket)
		}
	}
	if err := s.closed(&ls); err != nil {
		return out, err
	}
	// An id beside an inline upstream wins, as in APISIX.
	if id != "" {
		up, ok := s.upstreams.Get(id)
		if !ok {
			return out, &MissingError{MissingUpstream, id}
		}
		out.Upstream = up
	}
	switch {
	case out.Upstream != nil && out.Upstream.useless != nil && out.Upstream.useless.What == MissingDiscovery:
		return out, out.Upstream.useless
	case out.Upstream == nil || len(out.Upstream.Targets) == 0:
		return out, &MissingError{What: MissingAnyBackend}
	case out.Upstream.useless != nil:
		return out, out.Upstream.useless
	}
	if t := out.Upstream.TLS; t != nil && out.Upstream.secure() {
		if out.ClientCert = t.Client; t.ClientCertID != "" {
			ssl, ok := s.ssls.Get(t.ClientCertID)
			if !ok || ssl.Type != "client" {
				return out, &MissingError{MissingClientCert, t.ClientCertID}
			}
			if len(ssl.Pairs) > 0 { // else it is blind
				out.ClientCert = &ssl.Pairs[0]
			}
		}
	}
	out.Timeouts = out.Upstream.Timeouts
	if r.timeouts != nil {
		out.Timeouts = *r.timeouts
	}
	out.Websocket = websocket == on
	return out, nil
}
