package topology

import (
	_ "embed" // schema.json
	"slices"
)

//go:embed schema.json
var schema []byte

// Schema returns the JSON schema (draft 2020-12) of topology files. It follows
// from the tags and comments of Spec; tools/schemagen writes it.
func Schema() []byte { return slices.Clone(schema) }
