// Command schemagen writes the JSON schemas of the testbed's files. They follow
// from the tags and comments of the Go types, and are committed; with --check it
// writes nothing and fails when one is not what it would write. Run it in the root
// of the repository.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"

	"github.com/unilb/unilb/conformance/compare"
	"github.com/unilb/unilb/conformance/flake"
	"github.com/unilb/unilb/conformance/report"
	"github.com/unilb/unilb/sim/scenario"
	"github.com/unilb/unilb/topology"
	"github.com/unilb/unilb/topology/strict"
)

// schemas are the files that there are.
var schemas = []struct {
	file  string
	title string
	of    reflect.Type
}{
	{"topology/schema.json", "Topology of a lab", reflect.TypeFor[topology.Spec]()},
	{"scenarios/incidents/schema.json", "Scenario of an incident", reflect.TypeFor[scenario.File]()},
	{"conformance/report/schema.json", "Report of a conformance run", reflect.TypeFor[report.Report]()},
	{"conformance/compare/allow.schema.json", "Differences that are accepted", reflect.TypeFor[compare.AllowList]()},
	{"conformance/flake/quarantine.schema.json", "Cases in quarantine", reflect.TypeFor[flake.Quarantine]()},
}

func main() {
	check := flag.Bool("check", false, "only compare")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(check bool) error {
	if err := objectSchemas(check); err != nil {
		return err
	}
	c := &comments{root: ".", packages: map[string]map[string]string{}}
	for _, s := range schemas {
		want, err := strict.Schema(s.of, s.title, c.of)
		if err := errors.Join(err, c.err); err != nil {
			return err
		}
		if !check {
			if err := os.WriteFile(s.file, want, 0o644); err != nil {
				return err
			}
			continue
		}
		have, err := os.ReadFile(s.file)
		if err != nil {
			return err
		}
		if !bytes.Equal(have, want) {
			return fmt.Errorf("%s is not what the tags and comments of %s say: run go run ./tools/schemagen", s.file, s.of)
		}
	}
	return nil
}
