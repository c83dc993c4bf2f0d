// Package driver owns the manifest by which a gateway enters the testbed: a
// YAML file that says how its process is started, how one knows that it is
// ready and which configuration it has in force, and what it claims.
//
// It decodes, renders and finds programs; it starts nothing, dials nothing and knows no lab and
// no suite. Manifests and rendered processes are plain values.
package driver
