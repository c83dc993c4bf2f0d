// Package schema owns JSON Schema as APISIX checks it: documents that can be
// served as they are, and a validator whose messages are those of the library
// that APISIX 3.18 uses (api7/jsonschema).
//
// It supports the keywords that APISIX's schemas need and refuses others when a
// document is compiled, so that no rule is silently ignored. It never changes a
// value: defaults are annotations. A compiled Schema is immutable and safe for
// concurrent use.
//
// Deliberate likeness to the original, which is written in Lua: an empty array
// passes as an object and an empty object as an array; lengths of strings are
// counted in bytes; 1.0 is an integer; positions in messages begin at 1.
package schema
