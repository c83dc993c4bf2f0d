package stored

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// An Object is one key of a store.
type Object struct {
	Key   string
	Value []byte
}

// A Problem is an object that no data plane would take.
type Problem struct{ Key, Why string }

func (p Problem) String() string { return p.Key + ": " + p.Why }

// kinds are the directories that hold objects, with the names of their schemas.
var kinds = map[string]string{
	"routes": "route", "services": "service", "upstreams": "upstream", "ssls": "ssl", "global_rules": "global_rule", "plugin_configs": "plugin_config",
	"consumer_groups": "consumer_group", "stream_routes": "stream_route", "protos": "proto", "consumers": "consumer", "secrets": "secret", "plugin_metadata": "",
}

// Check returns what is wrong with the objects below a prefix such as /apisix.
// Directories that APISIX does not have are not looked at.
func Check(prefix string, objects []Object) []Problem {
	var out []Problem
	for _, o := range objects {
		path, ours := strings.CutPrefix(o.Key, prefix+"/")
		if !ours {
			continue
		}
		if why := wrong(path, o.Value); why != "" {
			out = append(out, Problem{o.Key, why})
		}
	}
	return out
}

// Placeholders returns what is missing of the keys by which a data plane tells the
// directories of its first read apart: without them it reads every directory by itself.
// A store without any object has none.
func Placeholders(prefix string, objects []Object) []Problem {
	missing := map[string]bool{"plugins": true}
	for dir := range kinds {
		missing[dir] = true
	}
	some := false
	for _, o := range objects {
		path, ours := strings.CutPrefix(o.Key, prefix+"/")
		some = some || ours
		if dir, last := strings.CutSuffix(path, "/"); ours && last {
			delete(missing, dir)
		}
	}
	var out []Problem
	for dir := range missing {
		if some {
			out = append(out, Problem{prefix + "/" + dir + "/", "the directory has no placeholder"})
		}
	}
	slices.SortFunc(out, func(a, b Problem) int { return strings.Compare(a.Key, b.Key) })
	return out
}

func wrong(path string, value []byte) string {
	dir, tail, inside := strings.Cut(path, "/")
	kind, known := kinds[dir]
	switch {
	case dir == "plugins" && !inside:
		return wrongList(value)
	case !inside || !known && dir != "plugins":
		return ""
	case tail == "":
		if string(value) != "init_dir" {
			return fmt.Sprintf("the directory's placeholder is %.40q, want init_dir", value)
		}
		return ""
	case !known:
		return "below the list of plugins, where nothing is read"
	}
	kind, id, why := kindOf(kind, tail)
	if why != "" {
		return why
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
	if err != nil {
		return fmt.Sprintf("not JSON: %v", err)
	}
	tree, ok := v.(map[string]any)
	if !ok {
		return fmt.Sprintf("%.40q is no object", value)
	}
	if s := schemas()[kind]; s != nil {
		if err := s.Validate(v); err != nil {
			return strings.Join(strings.Fields(err.Error()), " ")
		}
	}
	if within := tree["id"]; within != nil && dir != "consumers" && fmt.Sprint(within) != id {
		return fmt.Sprintf("the id within is %v, want %s", within, id)
	}
	return ""
}

// kindOf tells the schema and the id of an object from what follows its directory.
func kindOf(kind, tail string) (name, id, why string) {
	first, rest, deeper := strings.Cut(tail, "/")
	switch {
	case kind == "secret" && deeper:
		return "secret_" + first, tail, ""
	case kind == "consumer" && deeper && strings.HasPrefix(rest, "credentials/"):
		return "credential", strings.TrimPrefix(rest, "credentials/"), ""
	case deeper:
		return "", "", "below the key of an object, where nothing is read"
	}
	return kind, tail, ""
}

// wrongList is about the list of plugins that data planes load.
func wrongList(value []byte) string {
	var list []struct {
		Name   string `json:"name"`
		Stream bool   `json:"stream"`
	}
	if err := json.Unmarshal(value, &list); err != nil {
		return fmt.Sprintf("the list of plugins cannot be read: %v", err)
	}
	for i, p := range list {
		if p.Name == "" {
			return fmt.Sprintf("plugin %d has no name", i+1)
		}
	}
	return ""
}
