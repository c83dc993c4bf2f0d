package admin

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/apisix/plugin"
)

// checkPlugins checks the configuration of every plugin of an object.
func checkPlugins(obj *apisix.Object, k plugin.Kind) *failure {
	plugins, _ := obj.Value("plugins").(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(plugins)) {
		p, known := plugin.Lookup(name)
		if !known {
			return bad(fmt.Sprintf("unknown plugin [%s]", name))
		}
		conf, ok := plugin.Conf(plugins[name])
		if !ok {
			text, err := json.Marshal(plugins[name])
			if err != nil {
				text = []byte("?") // cannot be: it came from JSON
			}
			return bad(fmt.Sprintf("invalid plugin conf %s for plugin [%s]", text, name))
		}
		if err := p.Check(conf, k); err != nil {
			return bad(fmt.Sprintf("failed to check the configuration of plugin %s err: %s", name, err))
		}
	}
	return nil
}
