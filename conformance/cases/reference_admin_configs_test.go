package cases

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// validateConfigs checks a whole configuration.
func (g *reference) validateConfigs(w http.ResponseWriter, r *http.Request, body []byte) {
	if len(body) == 0 && !g.is("empty is fine") {
		reply(w, 400, object{"error_msg": "invalid request body: empty request body"})
		return
	}
	if r.Header.Get("Content-Type") == "application/yaml" && !g.is("knows no YAML") {
		body, _ = yaml.YAMLToJSON(body)
	}
	var config object
	if err := json.Unmarshal(body, &config); err != nil && len(body) > 0 {
		reply(w, 400, object{"error_msg": "invalid request body: " + err.Error(), "req_body": string(body)})
		return
	}
	var errs []object
	for _, kind := range slices.Sorted(maps.Keys(referenceKinds)) {
		if version := config[kind+"_conf_version"]; version != nil && luaName(version) != "number" && !g.is("takes any version") {
			errs = append(errs, object{"resource_type": kind, "error": kind + "_conf_version must be a number, got " + luaName(version)})
		}
		errs = append(errs, g.validateSection(w, r, kind, config[kind])...)
	}
	switch {
	case len(errs) == 0:
		reply(w, 200, object{})
	case g.is("stops at the first error"):
		errs = errs[:1]
		fallthrough
	default:
		reply(w, 400, object{"error_msg": "Configuration validation failed", "errors": errs})
	}
}

func (g *reference) validateSection(w http.ResponseWriter, r *http.Request, kind string, section any) []object {
	var errs []object
	seen := map[string]bool{}
	items, _ := section.([]any)
	for i, item := range items {
		whole, _ := item.(object)
		v := maps.Clone(whole)
		delete(v, "modifiedIndex")
		id, at, named := idText(v["id"]), kind, "id"
		name := id
		switch owner, c, isCredential := strings.Cut(id, "/credentials/"); {
		case kind == "consumers" && isCredential:
			at, name, named = "consumers/"+owner+"/credentials", c, "credential id"
		case kind == "consumers":
			id, _ = v["username"].(string)
			name, named = id, "username"
		case kind == "secrets":
			at = "secrets/" + strings.Split(id, "/")[0]
		}
		refuse := func(msg string) {
			place := i
			if g.is("counts from one") {
				place++
			}
			errs = append(errs, object{"resource_type": kind, "resource_id": id, "index": place, "error": msg})
		}
		msg := g.refuses(at, name, v)
		if kind == "secrets" && !strings.Contains(id, "/") {
			msg = "invalid secret id: " + id
		}
		if g.is("checks references of configs") {
			msg = cmp.Or(msg, g.dangling(at, name, v))
		}
		if msg != "" {
			refuse(msg)
		} else if g.is("validation stores") {
			g.objects[kind+"/"+id] = &stored{id: id, value: v}
		}
		if seen[id] && !g.is("takes duplicates") {
			refuse(fmt.Sprintf("found duplicate %s %s in %s", named, id, kind))
		}
		seen[id] = true
	}
	return errs
}

// plugins answers what is about plugins; path follows /plugins.
func (g *reference) plugins(w http.ResponseWriter, r *http.Request, path string) {
	q := r.URL.Query()
	subsystem := cmp.Or(q.Get("subsystem"), "http")
	var names []string
	for name, p := range referencePlugins {
		if strings.Contains(cmp.Or(p.subsystems, "http"), subsystem) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		if g.is("lists plugins by name") {
			return cmp.Compare(a, b)
		}
		return cmp.Compare(referencePlugins[b].priority, referencePlugins[a].priority)
	})
	name := strings.TrimPrefix(path, "/")
	p := referencePlugins[name]
	switch {
	case name == "list" && len(names) == 0:
		w.WriteHeader(400)
		_, _ = w.Write([]byte("invalid subsystem passed"))
	case name == "list":
		reply(w, 200, names)
	case name == "reload" && r.Method != "PUT" && !g.is("reloads on GET"):
		reply(w, 405, object{"error_msg": "please use PUT method to reload the plugins, " + r.Method + " method is not allowed."})
	case name == "reload":
		_, _ = w.Write([]byte("done"))
	case r.Method != "GET":
		reply(w, 404, object{"error_msg": "not found"})
	case q.Get("all") == "true":
		all := object{}
		for _, name := range names {
			all[name] = g.described(name)
		}
		reply(w, 200, all)
	case len(names) == 0:
		reply(w, 400, object{"error_msg": "unsupported subsystem: " + subsystem})
	case !slices.Contains(names, name):
		reply(w, 404, object{"error_msg": "plugin not found in subsystem " + subsystem})
	case q.Get("schema_type") == "consumer" && p.onUser == nil:
		reply(w, 400, object{"error_msg": "not found schema"})
	case q.Get("schema_type") == "consumer" && !g.is("one schema a plugin"):
		reply(w, 200, p.onUser)
	default:
		s := object{"properties": object{"_meta": object{}}}
		if properties, _ := p.onRoute["properties"].(object); properties != nil {
			maps.Copy(s["properties"].(object), properties)
		}
		reply(w, 200, s)
	}
}

func (g *reference) described(name string) object {
	p := referencePlugins[name]
	d := object{"version": 0.1, "priority": p.priority, "schema": object{}}
	if g.is("tells no priorities") {
		delete(d, "priority")
	}
	if p.onUser != nil {
		d["consumer_schema"] = p.onUser
	}
	if p.metadata != nil {
		d["metadata_schema"] = p.metadata
	}
	if p.auth {
		d["type"] = "auth"
	}
	return d
}
