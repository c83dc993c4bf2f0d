package report

import (
	_ "embed"
	"slices"
)

//go:embed schema.json
var schema []byte

// Schema is the JSON schema of report.yaml.
func Schema() []byte { return slices.Clone(schema) }
