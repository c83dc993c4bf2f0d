package cases

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// guards are plugins that the reference knows to keep requests away. It runs none.
var guards = map[string]bool{"key-auth": true, "basic-auth": true, "ip-restriction": true}

// closed answers for a route that is not served, because a plugin guards it; it
// reports false for others.
func (g *reference) closed(w http.ResponseWriter, view map[string]*stored, route *stored) bool {
	merged := map[string]any{}
	join := func(plugins map[string]any, wins bool) {
		for name, conf := range plugins {
			if _, has := merged[name]; isOff(conf) && g.is("joins plugins") || has && !wins {
				continue
			}
			merged[name] = conf
		}
	}
	if sid, ok := route.value["service_id"].(string); ok && !g.is("forgets plugins of services") {
		merged = pluginsOf(route.refers(view, "services/"+sid))
	}
	if id, ok := route.value["plugin_config_id"].(string); ok && !g.is("forgets plugin configs") {
		shared := route.refers(view, "plugin_configs/"+id)
		_, _, missing := g.upstream(view, route)
		if shared == nil && (missing == 0 || !g.is("misses the service first")) {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		join(pluginsOf(shared), !g.is("the service's plugins win"))
	}
	own := pluginsOf(route.value)
	join(own, true)
	if len(own) > 0 && g.is("plugins of the route replace all") {
		merged = own
	}
	for _, name := range slices.Sorted(maps.Keys(merged)) {
		switch {
		case isOff(merged[name]) && !g.is("closes for what is off"):
		case !guards[name] && !g.is("closes for any plugin"):
		case g.is("serves without what it cannot run"):
		case g.is("closes without a reason"):
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintf(w, `{"error_msg":"plugin %s cannot be run"}`+"\n", name)
			return true
		}
	}
	return false
}

func pluginsOf(object map[string]any) map[string]any {
	plugins, _ := object["plugins"].(map[string]any)
	if plugins == nil {
		return map[string]any{}
	}
	return maps.Clone(plugins)
}

func isOff(conf any) bool {
	c, _ := conf.(map[string]any)
	meta, _ := c["_meta"].(map[string]any)
	return meta["disable"] == true
}

// seal is what gateways get wrong about secrets that are written.
func (g *reference) seal(method string, v object) {
	plugins, _ := v["plugins"].(object)
	csrf, _ := plugins["csrf"].(object)
	key, ok := csrf["key"].(string)
	switch {
	case !ok:
	case g.is("shows what is sealed") && !strings.HasPrefix(key, "sealed "), g.is("PATCH seals again") && method == http.MethodPatch:
		csrf["key"] = "sealed " + key
	case g.is("opens what looks sealed") && strings.HasSuffix(key, "=="):
		csrf["key"] = "bar"
	case g.is("fetches references") && strings.HasPrefix(key, "$"):
		csrf["key"] = "fetched"
	}
}
