// Package drivers owns the manifests of the gateways we know, embedded so that
// a command needs no source tree beside it. It only holds files; package driver
// reads them.
package drivers

import "embed"

// Files holds one manifest for each gateway, "<name>.yaml", and the templates that
// manifests name.
//
//go:embed *.yaml *.tmpl
var Files embed.FS
