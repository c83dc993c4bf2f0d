package admin

import (
	"context"
	"errors"
	"fmt"

	"github.com/unilb/unilb/impl/store"
)

// directories are those that an APISIX data plane expects a placeholder in. Its
// first load assigns keys to directories by the placeholders.
var directories = []string{
	"upstreams", "plugins", "ssls", "stream_routes", "plugin_metadata", "secrets", "routes", "services",
	"consumers", "global_rules", "protos", "plugin_configs", "consumer_groups",
}

// InitDirectories writes the placeholders that are missing and, where there is none, the
// list of plugins that data planes of APISIX load. One that is there may be that of
// somebody who knows them better: only a reload replaces it. It may be called by any
// number of replicas at the same time, and again at every start.
func (h *Handler) InitDirectories(ctx context.Context) error {
	for _, name := range directories {
		if err := h.initKey(ctx, h.dir(name), []byte("init_dir")); err != nil {
			return err
		}
	}
	return h.initKey(ctx, h.pluginsKey(), publishedPlugins())
}

func (h *Handler) initKey(ctx context.Context, key string, value []byte) error {
	_, ok, _, err := h.st.Get(ctx, key)
	if err != nil {
		return fmt.Errorf("init %s: %w", key, err)
	}
	if ok {
		return nil
	}
	_, err = h.st.Commit(ctx, []store.Cond{{Key: key}}, store.Op{Key: key, Value: value})
	var conflict *store.ConflictError
	if err != nil && !errors.As(err, &conflict) {
		return fmt.Errorf("init %s: %w", key, err)
	}
	return nil
}
