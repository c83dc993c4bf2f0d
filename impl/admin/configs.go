package admin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
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
	config, f := readConfig(w, r, maxBody)
	if f != nil {
		f.write(w)
		return
	}
	v := newValidation(h)
	if name, wrong := unknownSection(config); wrong != "" && h.standalone {
		v.errs = append(v.errs, configError{Type: name, Error: wrong})
	}
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
func readConfig(w http.ResponseWriter, r *http.Request, limit int64) (map[string]any, *failure) {
	raw, f := readRaw(w, r, limit)
	if f != nil {
		return nil, f
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, bad("invalid request body: empty request body")
	}
	text := raw
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && strings.HasSuffix(kind, "/yaml") {
		if text, err = fromYAML(raw); err != nil {
			return nil, notRead(err, raw)
		}
	}
	sent, err := apisix.ReadSent(text)
	if err != nil {
		return nil, notRead(err, raw)
	}
	switch t := sent.Value().(type) {
	case map[string]any:
		return t, nil
	case []any:
		if len(t) == 0 {
			return nil, nil
		}
	}
	return nil, bad("invalid request body: " + apisix.CheckSchema("", sent.Value()).Error())
}

// validation collects what is wrong.
type validation struct {
	h     *Handler
	errs  []configError
	names map[string]bool // kinds and ids that there were
	// keys and rules say who has what only one object can have.
	keys  map[consumerKey]string
	rules map[string]string
	// limits are what objects say of groups of limit-count.
	limits map[string]string
}

func newValidation(h *Handler) *validation {
	return &validation{h: h, names: map[string]bool{}, keys: map[consumerKey]string{}, rules: map[string]string{}, limits: map[string]string{}}
}

func (v *validation) section(name string, config map[string]any) {
	if version, given := config[name+"_conf_version"]; given {
		if _, ok := version.(json.Number); !ok {
			v.errs = append(v.errs, configError{Type: name, Error: fmt.Sprintf("%s_conf_version must be a number, got %s", name, apisix.TypeName(version))})
		}
	}
	items, wrong := itemsOf(name, config)
	if wrong != "" {
		v.errs = append(v.errs, configError{Type: name, Error: wrong})
	}
	for i, item := range items {
		c := v.item(name, i, item)
		for _, msg := range c.wrong {
			v.errs = append(v.errs, configError{Type: name, ID: c.id, Index: &i, Error: msg})
		}
	}
}

// itemsOf are the objects of a section, or what is wrong with all of it.
func itemsOf(section string, config map[string]any) (items []any, wrong string) {
	v := config[section]
	items, isList := v.([]any)
	if isList || isEmpty(v) {
		return items, ""
	}
	return nil, "wrong type: expected array, got " + apisix.TypeName(v)
}

// isEmpty tells an object without members, which Lua prints for an empty list, and
// null.
func isEmpty(v any) bool {
	m, ok := v.(map[string]any)
	return v == nil || ok && len(m) == 0
}

// An examined object is one of a whole configuration.
type examined struct {
	at    address        // where it is written
	id    string         // what names it; "": nothing does
	obj   *apisix.Object // private keys open
	index json.Number    // its modifiedIndex; "": not given
	wrong []string       // what a write would refuse it for; none: nothing
}

// item looks at an object, the index-th from 0 of its section.
func (v *validation) item(section string, index int, item any) (c examined) {
	tree, ok := item.(map[string]any)
	if list, isList := item.([]any); isList && len(list) == 0 {
		tree, ok = map[string]any{}, true // in Lua there is no difference
	}
	if !ok {
		c.wrong = append(c.wrong, "invalid configuration: "+fmt.Sprint(apisix.CheckSchema("", item)))
		return c
	}
	var kind string
	c.at, c.id, kind = locate(section, tree)
	msg := ""
	if tree, c.index, msg = withoutIndex(tree); msg == "" {
		c.obj, msg = v.look(c.at, tree)
	}
	if msg != "" {
		c.wrong = append(c.wrong, msg)
	}
	name := c.id
	if name == "" { // APISIX counts those that have none
		name = fmt.Sprintf("arr_%d", index+1)
		c.at.id = name
	}
	if v.names[section+"/"+name] {
		c.wrong = append(c.wrong, fmt.Sprintf("found duplicate %s %s in %s", kind, name, section))
	}
	v.names[section+"/"+name] = true
	return c
}

// withoutIndex takes an object apart from the number that tells data planes whether it
// changed: it is no member of the object.
func withoutIndex(tree map[string]any) (rest map[string]any, index json.Number, wrong string) {
	const name = "modifiedIndex"
	v, given := tree[name]
	if !given {
		return tree, "", ""
	}
	if err := apisix.CheckInteger(v); err != nil {
		return tree, "", fmt.Sprintf("invalid configuration: property %q validation failed: %v", name, err)
	}
	index, _ = v.(json.Number)
	rest = maps.Clone(tree)
	delete(rest, name)
	return rest, index, ""
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

// look returns the object, or what a write would refuse it for.
func (v *validation) look(at address, tree map[string]any) (obj *apisix.Object, wrong string) {
	if at.res.dir == "secrets" && at.within == "" {
		return nil, "invalid secret id: " + apisix.IDText(tree["id"])
	}
	obj, err := apisix.FromTree(tree)
	if err != nil {
		return nil, "invalid configuration: " + err.Error()
	}
	obj, f := v.h.validate(at, obj)
	if f != nil {
		return nil, f.message()
	}
	if group, says := limitGroup(tree); group != "" && slices.Contains(limitedKinds, at.res.dir) {
		if said, named := v.limits[group]; named && said != says {
			return nil, groupMismatch
		}
		v.limits[group] = says
	}
	for _, key := range keysOf(tree) {
		if tail, taken := v.keys[key]; taken && tail != at.tail() {
			return nil, keyTaken(key.plugin, tail)
		}
		v.keys[key] = at.tail()
	}
	if at.res.dir != "global_rules" {
		return obj, ""
	}
	plugins, _ := tree["plugins"].(map[string]any)
	for name := range plugins {
		if id, taken := v.rules[name]; taken && id != at.id {
			return nil, ruleTaken(name, id)
		}
		v.rules[name] = at.id
	}
	return obj, ""
}
