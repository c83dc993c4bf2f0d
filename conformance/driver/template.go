package driver

import _ "embed"

// Template is a manifest to start from, with a comment on each key. It is a good
// manifest of a gateway that does not exist.
//
//go:embed template.yaml
var Template string
