package cases

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// referencePlace takes a path apart: credentials are below their consumer, secrets
// below their manager.
func referencePlace(path string) (kind, id, sub string, single, deeper bool) {
	segments := strings.Split(path, "/")
	n := 1
	switch {
	case segments[0] == "consumers" && len(segments) > 2 && segments[2] == "credentials":
		n = 3
	case segments[0] == "secrets" && len(segments) > 1:
		n = 2
	}
	kind, segments = strings.Join(segments[:n], "/"), segments[n:]
	if len(segments) > 0 {
		id, single = segments[0], true
	}
	if len(segments) > 1 {
		sub, deeper = strings.Join(segments[1:], "/"), true
	}
	return kind, id, sub, single, deeper
}

// isListed tells whether an object is in the list of a kind.
func (g *reference) isListed(kind, path string) bool {
	tail, ok := strings.CutPrefix(path, kind+"/")
	if kind == "consumers" && strings.Contains(tail, "/") && !g.is("lists credentials as consumers") {
		return false
	}
	if g.is("credentials are everybody's") && strings.HasSuffix(kind, "/credentials") {
		return strings.Contains(path, "/credentials/")
	}
	return ok
}

// ownerless tells whether a kind is that of the credentials of nobody.
func (g *reference) ownerless(kind string) bool {
	owner, ok := strings.CutSuffix(kind, "/credentials")
	return ok && g.objects[owner] == nil
}

// takeAlong removes what is below an object that is deleted.
func (g *reference) takeAlong(path string) {
	for p := range g.objects {
		if strings.HasPrefix(p, path+"/credentials/") && !g.is("credentials outlive") {
			delete(g.objects, p)
		}
	}
}

// taken says what of an object another one has that only one can have.
func (g *reference) taken(kind, id string, v object) string {
	mine, _ := v["plugins"].(object)
	objects := g.objects
	if g.is("never frees keys") && g.everUsed != nil {
		objects = g.everUsed
	}
	for _, path := range slices.Sorted(maps.Keys(objects)) {
		theirs, _ := objects[path].value["plugins"].(object)
		if path == kind+"/"+id {
			continue
		}
		for name := range mine {
			field := referencePlugins[name].unique
			other, both := theirs[name].(object)
			conf, _ := mine[name].(object)
			switch {
			case !both:
			case kind == "global_rules" && strings.HasPrefix(path, "global_rules/") && !g.is("rules share plugins"):
				return fmt.Sprintf("plugin '%s' already exists in global rule with id '%s'", name, strings.TrimPrefix(path, "global_rules/"))
			case strings.HasPrefix(kind, "consumers") && strings.HasPrefix(path, "consumers/") && field != "" && conf[field] == other[field] && !g.is("shares keys"):
				who := "consumer: " + strings.TrimPrefix(path, "consumers/")
				if owner, c, ok := strings.Cut(strings.TrimPrefix(path, "consumers/"), "/credentials/"); ok {
					who = "credential: " + c + " of consumer: " + owner
				}
				return "duplicate key of plugin " + name + " found with " + who
			}
		}
	}
	return ""
}

// dangling says what an object refers to that is not there, or does not fit.
func (g *reference) dangling(kind, id string, v object) string {
	if g.is("lets references dangle") {
		return ""
	}
	known := g.objects
	if g.is("looks for references late") && time.Since(g.swapped) < 20*time.Millisecond && g.old != nil {
		known = g.old
	}
	for _, ref := range []struct{ field, dir, what string }{
		{"upstream_id", "upstreams", "upstream"}, {"service_id", "services", "service"}, {"plugin_config_id", "plugin_configs", "plugin config"},
		{"group_id", "consumer_groups", "consumer group"},
	} {
		if to := idText(v[ref.field]); to != "" && known[ref.dir+"/"+to] == nil {
			return fmt.Sprintf("failed to fetch %s info by %s id [%s], response code: 404", ref.what, ref.what, to)
		}
	}
	tls, _ := v["tls"].(object)
	if to := idText(tls["client_cert_id"]); to != "" {
		o := g.objects["ssls/"+to]
		switch {
		case o == nil:
			return fmt.Sprintf("failed to fetch ssl info by ssl id [%s], response code: 404", to)
		case o.value["type"] != "client" && !g.is("shows any certificate"):
			return fmt.Sprintf("failed to fetch ssl info by ssl id [%s], wrong ssl type", to)
		}
	}
	protocol, _ := v["protocol"].(object)
	to := idText(protocol["superior_id"])
	superior := g.objects["stream_routes/"+to]
	switch {
	case to == "":
		return ""
	case to == id:
		return "stream route can not set itself as superior_id"
	case superior == nil:
		return "failed to fetch stream routes[" + to + "], response code: 404"
	}
	theirs, _ := superior.value["protocol"].(object)
	if theirs["name"] != protocol["name"] && !g.is("mixes protocols") {
		return fmt.Sprintf("protocol mismatch: subordinate protocol [%v] does not match superior protocol [%v]", protocol["name"], theirs["name"])
	}
	return ""
}

// user is the refusal to delete an object that somebody refers to; "": nobody does.
func (g *reference) user(kind, id string) string {
	how := map[string]string{
		"services": "can not delete this service directly", "upstreams": "can not delete this upstream", "plugin_configs": "can not delete this plugin config",
		"consumer_groups": "can not delete this consumer group", "protos": "can not delete this proto", "stream_routes": "can not delete this stream route directly",
	}[kind]
	field := map[string]string{"services": "service_id", "upstreams": "upstream_id", "plugin_configs": "plugin_config_id", "consumer_groups": "group_id"}[kind]
	users := g.objects
	if g.is("remembers users") && g.old != nil {
		users = g.everUsed
	}
	for _, path := range slices.Sorted(maps.Keys(users)) {
		by, name, _ := strings.Cut(path, "/")
		v := users[path].value
		plugins, _ := v["plugins"].(object)
		transcode, _ := plugins["grpc-transcode"].(object)
		protocol, _ := v["protocol"].(object)
		refers := idText(v[field])
		if g.is("ids are text") {
			refers, _ = v[field].(string)
		}
		switch {
		case by == "stream_routes" && kind != by && g.is("knows users of requests only"):
		case field != "" && refers == id, kind == "protos" && transcode["proto_id"] == id:
			return how + ", " + strings.TrimSuffix(by, "s") + " [" + name + "] is still using it now"
		case kind == "stream_routes" && by == "stream_routes" && idText(protocol["superior_id"]) == id:
			return how + ", stream route [" + name + "] is still using it as superior_id"
		}
	}
	return ""
}
