package admin

import (
	"encoding/json"
	"fmt"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/store"
)

// References from one kind of object to another.
var (
	refUpstream = refTo("upstream_id", "upstreams", "upstream", nil)
	refService  = refTo("service_id", "services", "service", nil)
	refConfig   = refTo("plugin_config_id", "plugin_configs", "plugin config", nil)
	refGroup    = refTo("group_id", "consumer_groups", "consumer group", nil)
	refCert     = refTo("tls.client_cert_id", "ssls", "ssl", isClientCert)
	refInline   = refTo("upstream.tls.client_cert_id", "ssls", "ssl", isClientCert)
	refSuperior = reference{
		"protocol.superior_id", "stream_routes", "failed to fetch stream routes[%s], response code: 404", sameProtocol,
	}
)

func refTo(field, dir, what string, fits func(own, other map[string]any, id string) string) reference {
	return reference{field, dir, "failed to fetch " + what + " info by " + what + " id [%s], response code: 404", fits}
}

// isClientCert tells a certificate that upstreams are shown from one that clients
// are shown.
func isClientCert(_, other map[string]any, id string) string {
	if other["type"] == "client" {
		return ""
	}
	return fmt.Sprintf("failed to fetch ssl info by ssl id [%s], wrong ssl type", id)
}

func sameProtocol(own, other map[string]any, _ string) string {
	mine, _ := valueAt(own, "protocol.name").(string)
	superior, _ := valueAt(other, "protocol.name").(string)
	if mine == superior {
		return ""
	}
	return fmt.Sprintf("protocol mismatch: subordinate protocol [%s] does not match superior protocol [%s]", mine, superior)
}

// plainReferences spells references that are integers without fraction or
// exponent (1e1 becomes 10), so that a text search for an id finds them.
func plainReferences(res *resource, obj *apisix.Object) (*apisix.Object, *failure) {
	set := map[string]any{}
	for _, ref := range res.refs {
		if n, ok := obj.Value(ref.field).(json.Number); ok && apisix.IDText(n) != n.String() {
			set[ref.field] = json.Number(apisix.IDText(n))
		}
	}
	if len(set) == 0 {
		return obj, nil
	}
	return with(obj, set)
}

// references returns the conditions under which what obj refers to exists, and fits.
// Mostly it does, and the transaction says so: what is only to exist is looked at when a
// transaction of the request has failed, to tell which is missing.
func (h *Handler) references(req *request, at address, obj *apisix.Object) ([]store.Cond, *failure) {
	ctx := req.Context()
	var conds []store.Cond
	for _, ref := range at.res.refs {
		v := valueAt(obj.Tree(), ref.field)
		if v == nil {
			continue
		}
		id := apisix.IDText(v)
		key := h.dir(ref.dir) + id
		if key == h.key(at) {
			return nil, bad("stream route can not set itself as superior_id")
		}
		exists := store.Cond{Key: key, Rule: store.Exists}
		if ref.fits == nil && !req.failed {
			conds = append(conds, exists)
			continue
		}
		kv, ok, _, err := h.st.Get(ctx, key)
		if err != nil {
			return nil, unavailable(err)
		}
		if !ok {
			return nil, bad(fmt.Sprintf(ref.missing, id))
		}
		if ref.fits != nil {
			tree, _ := isObject(kv.Value)
			if wrong := ref.fits(obj.Tree(), tree, id); wrong != "" {
				return nil, bad(wrong)
			}
			// What fits now might be changed: it must stay as it was seen.
			conds = append(conds, store.Cond{Key: key, Mod: kv.Mod})
			continue
		}
		conds = append(conds, exists)
	}
	if at.res == credentials {
		return h.ownerExists(ctx, at, conds)
	}
	return conds, nil
}
