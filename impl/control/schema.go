package control

import (
	"encoding/json"
	"net/http"
	"sync"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/apisix/plugin"
)

// described is a plugin as the control API tells it.
type described struct {
	Version        float64         `json:"version"`
	Priority       int             `json:"priority"`
	Schema         json.RawMessage `json:"schema"`
	ConsumerSchema json.RawMessage `json:"consumer_schema,omitempty"`
	MetadataSchema json.RawMessage `json:"metadata_schema,omitempty"`
	Type           string          `json:"type,omitempty"`
	Scope          string          `json:"scope,omitempty"`
}

// allSchemas is everything that has one. It never changes, and is asked for seldom.
var allSchemas = sync.OnceValues(func() ([]byte, error) {
	main := map[string]json.RawMessage{}
	for _, kind := range []string{"consumer", "consumer_group", "credential", "global_rule", "plugin_config", "plugins", "proto",
		"route", "service", "ssl", "stream_route", "upstream"} {
		main[kind], _ = apisix.SchemaText(kind)
	}
	return json.Marshal(struct {
		Main    map[string]json.RawMessage `json:"main"`
		Plugins map[string]described       `json:"plugins"`
		Stream  map[string]described       `json:"stream_plugins"`
	}{main, describe(plugin.All()), describe(plugin.AllStream())})
})

func describe(plugins []*plugin.Plugin) map[string]described {
	out := make(map[string]described, len(plugins))
	for _, p := range plugins {
		out[p.Name] = described{p.Version, p.Priority, p.Schema, p.ConsumerSchema, p.MetadataSchema, p.Type, p.Scope}
	}
	return out
}

func giveSchemas(w http.ResponseWriter, _ *http.Request) {
	text, err := allSchemas()
	if err != nil {
		fail(w, http.StatusInternalServerError, err.Error()) // cannot be: they are embedded
		return
	}
	answer(w, http.StatusOK, json.RawMessage(text))
}
