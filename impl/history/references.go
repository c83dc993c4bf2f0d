package history

import (
	"encoding/json"
	"strings"
)

// A reference is a member that holds the id of another object.
type reference struct {
	path string // members within each other, separated by dots
	dir  string
}

// references of the objects of each kind that may refer to others; nil: plugins alone do.
var references = map[string][]reference{
	"routes":          {{"upstream_id", "upstreams"}, {"service_id", "services"}, {"plugin_config_id", "plugin_configs"}, {"upstream.tls.client_cert_id", "ssls"}},
	"stream_routes":   {{"upstream_id", "upstreams"}, {"service_id", "services"}, {"upstream.tls.client_cert_id", "ssls"}, {"protocol.superior_id", "stream_routes"}},
	"services":        {{"upstream_id", "upstreams"}, {"upstream.tls.client_cert_id", "ssls"}},
	"upstreams":       {{"tls.client_cert_id", "ssls"}},
	"consumers":       {{"group_id", "consumer_groups"}},
	"plugin_configs":  nil,
	"consumer_groups": nil,
	"global_rules":    nil,
}

// kind is the directory of a key below objects.
func kind(objects, key string) string {
	dir, _, _ := strings.Cut(strings.TrimPrefix(key, objects+"/"), "/")
	return dir
}

// refersTo lists the keys that an object refers to.
func refersTo(objects, key string, value Object) []string {
	var tree map[string]any
	v, ok := decode(value)
	if tree, _ = v.(map[string]any); !ok || tree == nil {
		return nil
	}
	var out []string
	add := func(dir string, v any) {
		if id := idOf(v); id != "" {
			out = append(out, objects+"/"+dir+"/"+id)
		}
	}
	for _, r := range references[kind(objects, key)] {
		add(r.dir, at(tree, r.path))
	}
	rules, _ := at(tree, "plugins.traffic-split.rules").([]any)
	for _, r := range rules {
		rule, _ := r.(map[string]any)
		targets, _ := rule["weighted_upstreams"].([]any)
		for _, t := range targets {
			target, _ := t.(map[string]any)
			add("upstreams", target["upstream_id"])
		}
	}
	if id := at(tree, "plugins.grpc-transcode.proto_id"); id != nil {
		add("protos", id)
	}
	// A credential belongs to its consumer.
	if rest, ok := strings.CutPrefix(key, objects+"/consumers/"); ok {
		if owner, _, within := strings.Cut(rest, "/"); within {
			out = append(out, objects+"/consumers/"+owner)
		}
	}
	return out
}

// at returns the value at a path; nil: there is none.
func at(tree map[string]any, path string) any {
	name, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		return tree[name]
	}
	below, _ := tree[name].(map[string]any)
	return at(below, rest)
}

func idOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}
