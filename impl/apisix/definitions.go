package apisix

import (
	"encoding/json"
	"maps"
)

// Definitions returns the schema documents of objects and of what they share, by
// name, for documents that refer to them. The map is the caller's, the documents must
// not be changed.
func Definitions() map[string]json.RawMessage { return maps.Clone(documents()) }
