package admin

import (
	"context"
	"encoding/json"
	"maps"
	"strconv"
	"sync"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/apisix/plugin"
	"github.com/unilb/unilb/impl/store"
)

// Objects whose limit-count names the same group share its counter, so all must say the
// same of it.
const (
	groupMismatch = "failed to check the configuration of plugin limit-count err: group conf mismatched"
	groupLocks    = "/unilb/locks/limit-groups/"
)

// limitGroup is the group that an object's limit-count names, "" when it names none, and
// what it says there, defaults filled in, as text that can be compared.
func limitGroup(tree map[string]any) (group, says string) {
	plugins, _ := tree["plugins"].(map[string]any)
	conf, ok := plugin.Conf(plugins["limit-count"])
	if !ok || plugin.Disabled(conf) {
		return "", ""
	}
	if group, _ = conf["group"].(string); group == "" {
		return "", ""
	}
	whole := maps.Clone(limitDefaults())
	maps.Copy(whole, conf)
	delete(whole, "_meta")
	text, err := json.Marshal(plainNumbers(whole))
	if err != nil {
		return "", "" // cannot be: it came from JSON
	}
	return group, string(text)
}

// limitDefaults are those of the plugin's schema.
var limitDefaults = sync.OnceValue(func() map[string]any {
	p, _ := plugin.Lookup("limit-count")
	schema, _ := apisix.Decode(p.Schema)
	tree, _ := schema.(map[string]any)
	properties, _ := tree["properties"].(map[string]any)
	out := map[string]any{}
	for name, v := range properties {
		if m, _ := v.(map[string]any); m["default"] != nil {
			out[name] = m["default"]
		}
	}
	return out
})

// plainNumbers spells equal numbers alike.
func plainNumbers(v any) any {
	switch t := v.(type) {
	case json.Number:
		if f, err := t.Float64(); err == nil {
			return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
		}
	case map[string]any:
		out := make(map[string]any, len(t))
		for name, v := range t {
			out[name] = plainNumbers(v)
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, v := range t {
			out[i] = plainNumbers(v)
		}
		return out
	}
	return v
}

// sameGroup refuses an object that says something else of a group than others do.
// Writers of one group are kept apart by a lock that both write.
func (h *Handler) sameGroup(ctx context.Context, at address, obj *apisix.Object, since int64) ([]store.Cond, []store.Op, *failure) {
	group, says := limitGroup(obj.Tree())
	if group == "" {
		return nil, nil, nil
	}
	known, upTo, err := h.knowledge.at(ctx, since, limitedKinds...)
	if err != nil {
		return nil, nil, unavailable(err)
	}
	_, differs, err := h.anyone(ctx, known, h.key(at), fact{what: aGroup, value: group, as: says})
	switch {
	case err != nil:
		return nil, nil, unavailable(err)
	case differs:
		return nil, nil, bad(groupMismatch)
	}
	lock := lockOf(groupLocks, group)
	return []store.Cond{{Key: lock, Mod: upTo, Rule: store.Unwritten}}, []store.Op{{Key: lock, Value: []byte(at.tail())}}, nil
}
