package gateway

import (
	"strings"

	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/store"
)

// written is the change that an object that was put makes.
func written(prefix string, kv store.KV) config.Change {
	ch := change(prefix, kv.Key)
	ch.Value, ch.Create, ch.Mod = kv.Value, kv.Create, kv.Mod
	ch.Sum = uint64(store.HashOf(kv.Key, kv.Value))
	return ch
}

// change finds kind and id of a key.
func change(prefix, key string) config.Change {
	ch := config.Change{Key: key}
	rest := strings.TrimPrefix(key, prefix+"/")
	if prefix == ListenersPrefix {
		if rest != "" && !strings.Contains(rest, "/") {
			ch.Kind, ch.ID = config.Listeners, rest
		}
		return ch
	}
	ch.Kind, ch.ID = config.Locate(rest)
	return ch
}

// keyOf is the reverse of change; empty: objects of that kind have other prefixes.
func keyOf(prefix string, kind config.Kind, id string) string {
	switch {
	case (kind == config.Listeners) != (prefix == ListenersPrefix):
		return ""
	case kind == config.Listeners:
		return prefix + "/" + id
	}
	return prefix + "/" + kind.Directory() + "/" + id
}
