package apisix

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"sync"

	"github.com/unilb/unilb/impl/apisix/schema"
)

// The schema documents, one a resource, and the definitions they share. Within
// them {"$ref": "host"} stands for host.json.
//
//go:embed schemas/*.json
var schemaFiles embed.FS

// documents returns all schema documents by name.
var documents = sync.OnceValue(func() map[string]json.RawMessage {
	docs := map[string]json.RawMessage{}
	entries, err := schemaFiles.ReadDir("schemas")
	if err != nil {
		panic(err) // embedded: always there
	}
	for _, e := range entries {
		b, err := schemaFiles.ReadFile(path.Join("schemas", e.Name()))
		if err != nil {
			panic(err) // embedded: always there
		}
		docs[strings.TrimSuffix(e.Name(), ".json")] = b
	}
	return docs
})

// schemas of the kinds of objects, each compiled at first use. They panic on a
// broken document, which a test would have found.
var schemas = func() map[string]func() *schema.Schema {
	all := map[string]func() *schema.Schema{}
	for _, kind := range []string{
		"route", "service", "upstream", "ssl", "consumer", "credential", "global_rule", "plugin_config", "consumer_group",
		"stream_route", "proto", "secret_vault", "secret_aws", "secret_gcp",
	} {
		all[kind] = compiled(kind)
	}
	return all
}()

// Schemas that are asked for once for every object.
var (
	routeSchema    = schemas["route"]
	serviceSchema  = schemas["service"]
	upstreamSchema = schemas["upstream"]
	sslSchema      = schemas["ssl"]
	anyObject      = compiled("plugin_metadata")
)

func compiled(name string) func() *schema.Schema {
	return sync.OnceValue(func() *schema.Schema {
		s, err := schema.Compile(documents()[name], documents())
		if err != nil {
			panic(fmt.Sprintf("schema of %s: %v", name, err))
		}
		return s
	})
}
