package admin

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/unilb/unilb/impl/apisix"
)

// sections are the members of a whole configuration, in the order in which they
// are checked.
var sections = []string{
	"routes", "services", "upstreams", "consumers", "ssls", "global_rules", "stream_routes", "plugin_metadata",
	"plugin_configs", "consumer_groups", "protos", "secrets",
}

// A configError is what is wrong with one object of a whole configuration.
type configError struct {
	Type  string `json:"resource_type"`
	ID    string `json:"resource_id,omitempty"`
	Index *int   `json:"index,omitempty"` // from 0; nil: the error is not about one object
	Error string `json:"error"`
}

// validateConfigs checks a whole configuration: every object as a write would,
// except that nothing need exist already. It stores nothing.
func (h *Handler) validateConfigs(w http.ResponseWriter, r *http.Request) {
	config, f := readConfig(w, r)
	if f != nil {
		f.write(w)
		return
	}
	v := validation{h: h, names: map[string]bool{}, keys: map[consumerKey]string{}, rules: map[string]string{}}
	for _, section := range sections {
		v.section(section, config)
	}
	if len(v.errs) == 0 {
		writeJSON(w, http.StatusOK, struct{}{})
		return
	}
	writeJSON(w, http.StatusBadRequest, struct {
		Message string        `json:"error_msg"`
		Errors  []configError `json:"errors"`
	}{"Configuration validation failed", v.errs})
}

// readConfig reads a whole configuration, which is JSON or, when its content type
// says so, YAML.
func readConfig(w http.ResponseWriter, r *http.Request) (map[string]any, *failure) {
	raw, f := readRaw(w, r)
	if f != nil {
		return nil, f
	}
	if len(strings.TrimSpace(string(raw))) == 0 {
		return nil, bad("invalid request body: empty request body")
	}
	text := raw
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && strings.HasSuffix(kind, "/yaml") {
		if text, err = fromYAML(raw); err != nil {
			return nil, notRead(err, raw)
		}
	}
	v, err := apisix.Decode(text)
	if err != nil {
		return nil, notRead(err, raw)
	}
	switch t := v.(type) {
	case map[string]any:
		return t, nil
	case []any:
		if len(t) == 0 {
			return nil, nil
		}
	}
	return nil, bad("invalid request body: " + apisix.CheckSchema("", v).Error())
}

// validation collects what is wrong.
type validation struct {
	h     *Handler
	errs  []configError
	names map[string]bool // kinds and ids that there were
	// keys and rules say who has what only one object can have.
	keys  map[consumerKey]string
	rules map[string]string
}

func (v *validation) section(name string, config map[string]any) {
	if version, given := config[name+"_conf_version"]; given {
		if _, ok := version.(json.Number); !ok {
			v.errs = append(v.errs, configError{Type: name, Error: fmt.Sprintf("%s_conf_version must be a number, got %s", name, apisix.TypeName(version))})
		}
	}
	items, isList := config[name].([]any)
	if given, there := config[name]; there && !isList && !isEmpty(given) {
		v.errs = append(v.errs, configError{Type: name, Error: "wrong type: expected array, got " + apisix.TypeName(given)})
	}
	for i, item := range items {
		v.item(name, i, item)
	}
}

// isEmpty tells an object without members, which Lua prints for an empty list, and
// null.
func isEmpty(v any) bool {
	m, ok := v.(map[string]any)
	return v == nil || ok && len(m) == 0
}

func (v *validation) item(section string, index int, item any) {
	tree, ok := item.(map[string]any)
	refuse := func(id, msg string) {
		v.errs = append(v.errs, configError{Type: section, ID: id, Index: &index, Error: msg})
	}
	if !ok {
		refuse("", "invalid configuration: "+fmt.Sprint(apisix.CheckSchema("", item)))
		return
	}
	at, id, kind := locate(section, tree)
	if msg := v.wrong(at, tree); msg != "" {
		refuse(id, msg)
	}
	if id == "" {
		return
	}
	if v.names[section+"/"+id] {
		refuse(id, fmt.Sprintf("found duplicate %s %s in %s", kind, id, section))
	}
	v.names[section+"/"+id] = true
}

// locate returns where an object would be written, what names it, and what the
// name is called.
func locate(section string, tree map[string]any) (at address, id, kind string) {
	at = address{res: resources[section]}
	id = apisix.IDText(tree["id"])
	switch owner, name, isCredential := apisix.SplitCredential(id); {
	case section == "consumers" && isCredential:
		return address{credentials, apisix.CredentialTail(owner, ""), name}, id, "credential id"
	case section == "consumers":
		id, _ = tree["username"].(string)
		at.id = id
		return at, id, "username"
	case section == "secrets":
		if manager, rest, ok := strings.Cut(id, "/"); ok {
			at.within, at.id = manager+"/", rest
		}
		return at, id, "id"
	}
	at.id = id
	return at, id, "id"
}

// wrong is what a write would refuse the object for; "": nothing.
func (v *validation) wrong(at address, tree map[string]any) string {
	if at.res.dir == "secrets" && at.within == "" {
		return "invalid secret id: " + apisix.IDText(tree["id"])
	}
	obj, err := apisix.FromTree(tree)
	if err != nil {
		return "invalid configuration: " + err.Error()
	}
	if _, f := v.h.validate(at, obj); f != nil {
		return f.message()
	}
	for _, key := range keysOf(tree) {
		if tail, taken := v.keys[key]; taken && tail != at.tail() {
			return keyTaken(key.plugin, tail)
		}
		v.keys[key] = at.tail()
	}
	if at.res.dir != "global_rules" {
		return ""
	}
	plugins, _ := tree["plugins"].(map[string]any)
	for name := range plugins {
		if id, taken := v.rules[name]; taken && id != at.id {
			return ruleTaken(name, id)
		}
		v.rules[name] = at.id
	}
	return ""
}
