package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/apisix/plugin"
)

// checkPlugins checks the configuration of every plugin of an object.
func checkPlugins(at address, obj *apisix.Object) error {
	if at.res.plugins == plugin.Metadata {
		return checkMetadata(at.id, obj.Tree())
	}
	plugins, _ := obj.Value("plugins").(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(plugins)) {
		if err := checkPlugin(at.res, name, plugins[name]); err != nil {
			if at.res.plugins == plugin.Consumer {
				return fmt.Errorf("invalid plugins configuration: %w", err)
			}
			return err
		}
		if p, _ := plugin.Lookup(name); at.res == credentials && p.Type != "auth" {
			return errors.New("only supports auth type plugins in consumer credential")
		}
	}
	return nil
}

func checkPlugin(res *resource, name string, v any) error {
	lookup, refused := plugin.Lookup, "failed to check the configuration of plugin %s err: %w"
	if res.dir == "stream_routes" {
		lookup, refused = plugin.LookupStream, "failed to check the configuration of stream plugin [%s]: %w"
	}
	conf, ok := plugin.Conf(v)
	if !ok {
		text, err := json.Marshal(v)
		if err != nil {
			text = []byte("?") // cannot be: it came from JSON
		}
		return fmt.Errorf("invalid plugin conf %s for plugin [%s]", text, name)
	}
	p, known := lookup(name)
	if !known {
		return fmt.Errorf("unknown plugin [%s]", name)
	}
	err := p.Check(conf, res.plugins)
	var filter *plugin.FilterError
	if err == nil || errors.As(err, &filter) {
		return err
	}
	return fmt.Errorf(refused, name, err)
}

func checkMetadata(name string, conf map[string]any) error {
	if name == "" {
		return errors.New("missing plugin name")
	}
	p, known := plugin.Lookup(name)
	if !known {
		if p, known = plugin.LookupStream(name); !known {
			return errors.New("invalid plugin name")
		}
	}
	conf = maps.Clone(conf)
	delete(conf, "id")
	if err := p.Check(conf, plugin.Metadata); err != nil {
		return fmt.Errorf("invalid configuration: %w", err)
	}
	return nil
}
