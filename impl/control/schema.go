package control

import (
	"encoding/json"
	"net/http"
	"sync"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/apisix/plugin"
)

// allSchemas is everything that has one. It never changes, and is asked for seldom.
var allSchemas = sync.OnceValues(func() ([]byte, error) {
	main := map[string]json.RawMessage{}
	for _, kind := range []string{"consumer", "consumer_group", "credential", "global_rule", "plugin_config", "plugins", "proto",
		"route", "service", "ssl", "stream_route", "upstream"} {
		main[kind], _ = apisix.SchemaText(kind)
	}
	return json.Marshal(struct {
		Main    map[string]json.RawMessage    `json:"main"`
		Plugins map[string]plugin.Description `json:"plugins"`
		Stream  map[string]plugin.Description `json:"stream_plugins"`
	}{main, plugin.Describe(plugin.All()), plugin.Describe(plugin.AllStream())})
})

func giveSchemas(w http.ResponseWriter, _ *http.Request) {
	text, err := allSchemas()
	if err != nil {
		fail(w, http.StatusInternalServerError, err.Error()) // cannot be: they are embedded
		return
	}
	answer(w, http.StatusOK, json.RawMessage(text))
}
