package admin

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/unilb/unilb/impl/apisix"
)

// A Plugin checks a plugin's configuration; the error says what is wrong with
// it.
type Plugin func(conf map[string]any) error

// checkPlugins checks the configuration of every plugin of an object.
func (h *Handler) checkPlugins(obj *apisix.Object) *failure {
	plugins, _ := obj.Value("plugins").(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(plugins)) {
		check, known := h.plugins[name]
		if !known {
			return bad(fmt.Sprintf("unknown plugin [%s]", name))
		}
		conf, ok := plugins[name].(map[string]any)
		if !ok {
			text, err := json.Marshal(plugins[name])
			if err != nil {
				text = []byte("?") // cannot be: it came from JSON
			}
			return bad(fmt.Sprintf("invalid plugin conf %s for plugin [%s]", text, name))
		}
		if disabled(conf) {
			continue
		}
		if err := check(conf); err != nil {
			return bad(fmt.Sprintf("failed to check the configuration of plugin %s err: %s", name, err))
		}
	}
	return nil
}

// disabled reports whether a plugin is switched off; its configuration may then
// be anything.
func disabled(conf map[string]any) bool {
	meta, _ := conf["_meta"].(map[string]any)
	return meta["disable"] == true
}
