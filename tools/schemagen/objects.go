package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/apisix/schema"
)

// objectsFile holds the schemas of the configuration's objects, for the testbed, which
// knows nothing of the product but what it says.
const objectsFile = "sim/stored/schemas.json"

// objectKinds are the schemas in it.
var objectKinds = []string{
	"route", "service", "upstream", "ssl", "consumer", "credential", "global_rule", "plugin_config", "consumer_group", "stream_route", "proto",
	"secret_vault", "secret_aws", "secret_gcp",
}

// objectSchemas writes the schemas of objects, or compares.
func objectSchemas(check bool) error {
	defs, all := apisix.Definitions(), map[string]json.RawMessage{}
	for _, kind := range objectKinds {
		doc, err := schema.Expand(defs[kind], defs)
		if err != nil {
			return fmt.Errorf("schema of %s: %w", kind, err)
		}
		all[kind] = doc
	}
	var want bytes.Buffer
	e := json.NewEncoder(&want)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(all); err != nil {
		return fmt.Errorf("write %s: %w", objectsFile, err)
	}
	if !check {
		return os.WriteFile(objectsFile, want.Bytes(), 0o644)
	}
	have, err := os.ReadFile(objectsFile)
	if err != nil {
		return err
	}
	if !bytes.Equal(have, want.Bytes()) {
		return fmt.Errorf("%s is not what the schemas of impl/apisix say: run go run ./tools/schemagen", objectsFile)
	}
	return nil
}
