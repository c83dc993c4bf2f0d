// Package incidents owns the incidents that come with the testbed, one YAML file
// each. Every file is a scenario of "lbsim run" and one spec of the Ginkgo suite.
// It only holds them.
package incidents

import (
	"embed"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// Files are the scenario files, and topologies of their own beside them, by name
// with ".yaml".
//
//go:embed *.yaml
var Files embed.FS

// isScenario tells a scenario from a topology.
var isScenario = regexp.MustCompile(`(?m)^scenario:`)

// Names are the names of all incidents, sorted.
func Names() []string {
	found, err := fs.Glob(Files, "*.yaml")
	if err != nil {
		return nil // the pattern is well formed
	}
	var out []string
	for _, f := range found {
		if text, err := Files.ReadFile(f); err == nil && isScenario.Match(text) {
			out = append(out, strings.TrimSuffix(f, ".yaml"))
		}
	}
	slices.Sort(out)
	return out
}

//go:embed schema.json
var schema []byte

// Schema returns the JSON schema (draft 2020-12) of scenario files. It follows from
// the tags and comments of scenario.File; tools/schemagen writes it.
func Schema() []byte { return slices.Clone(schema) }
