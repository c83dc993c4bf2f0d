package plugin

import "encoding/json"

// Description is a plugin as the APIs tell it that list all schemas (contract of APISIX:
// schema endpoints of the Admin API with all=true, /v1/schema of the control API).
type Description struct {
	Version        float64         `json:"version"`
	Priority       int             `json:"priority"`
	Schema         json.RawMessage `json:"schema"`
	ConsumerSchema json.RawMessage `json:"consumer_schema,omitempty"`
	MetadataSchema json.RawMessage `json:"metadata_schema,omitempty"`
	Type           string          `json:"type,omitempty"`
	Scope          string          `json:"scope,omitempty"`
}

// Describe returns the descriptions of plugins by their names.
func Describe(plugins []*Plugin) map[string]Description {
	out := make(map[string]Description, len(plugins))
	for _, p := range plugins {
		out[p.Name] = Description{p.Version, p.Priority, p.Schema, p.ConsumerSchema, p.MetadataSchema, p.Type, p.Scope}
	}
	return out
}
