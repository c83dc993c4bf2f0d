package plugin

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"strings"
	"sync"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/apisix/schema"
)

// The documents, one a plugin, and what they share. Within them {"$ref": "redis"}
// stands for defs/redis.json, or for a definition of the objects' schemas.
//
//go:embed schemas/*.json defs/*.json
var files embed.FS

// document is what schemas/<plugin>.json holds.
type document struct {
	Schema   map[string]any `json:"schema"`
	Consumer map[string]any `json:"consumer_schema"`
	Metadata map[string]any `json:"metadata_schema"`
	// With names definitions whose keywords and properties Schema has as well.
	With []string `json:"with"`
}

var definitions = sync.OnceValue(func() map[string]json.RawMessage {
	defs := apisix.Definitions()
	entries, err := files.ReadDir("defs")
	if err != nil {
		panic(err) // embedded: always there
	}
	for _, e := range entries {
		b, err := files.ReadFile(path.Join("defs", e.Name()))
		if err != nil {
			panic(err) // embedded: always there
		}
		defs[strings.TrimSuffix(e.Name(), ".json")] = b
	}
	return defs
})

// mark is how APISIX's own clients know a schema that has been completed.
const mark = "this is a mark for our injected plugin schema"

// read returns the document of a plugin; without a file any object goes.
func read(name string) document {
	d := document{Schema: map[string]any{"type": "object"}}
	var err error
	if b, missing := files.ReadFile("schemas/" + name + ".json"); missing == nil {
		err = decode(b, &d)
	}
	for _, name := range d.With {
		var shared map[string]any
		if err == nil {
			err = decode(definitions()[name], &shared)
		}
		maps.Copy(properties(d.Schema), object(shared, "properties"))
		delete(shared, "properties")
		maps.Copy(d.Schema, shared)
	}
	if err != nil {
		panic(fmt.Sprintf("document of plugin %s: %v", name, err))
	}
	properties(d.Schema)["_meta"] = map[string]any{"$ref": "meta"}
	d.Schema["$comment"] = mark
	return d
}

func properties(doc map[string]any) map[string]any {
	props, ok := doc["properties"].(map[string]any)
	if !ok {
		props = map[string]any{}
		doc["properties"] = props
	}
	return props
}

// complete fills in the schemas of a plugin.
func (p *Plugin) complete(d document) {
	served := [kinds]*json.RawMessage{Route: &p.Schema, Consumer: &p.ConsumerSchema, Metadata: &p.MetadataSchema}
	for k, tree := range [kinds]map[string]any{Route: d.Schema, Consumer: d.Consumer, Metadata: d.Metadata} {
		if tree == nil {
			continue
		}
		doc, err := json.Marshal(tree)
		if err == nil {
			*served[k], err = schema.Expand(doc, definitions())
		}
		if err != nil {
			panic(fmt.Sprintf("schema of plugin %s: %v", p.Name, err))
		}
		p.checks[k] = compiled(p.Name, *served[k])
		for _, field := range list(tree, "encrypt_fields") {
			p.sealed[k] = append(p.sealed[k], strings.Split(field.(string), "."))
		}
	}
}

func compiled(name string, doc json.RawMessage) func() *schema.Schema {
	return sync.OnceValue(func() *schema.Schema {
		s, err := schema.Compile(doc, definitions())
		if err != nil {
			panic(fmt.Sprintf("schema of plugin %s: %v", name, err))
		}
		return s
	})
}

// decode keeps numbers as they are written.
func decode(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return d.Decode(into)
}
