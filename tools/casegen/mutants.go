package main

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/unilb/unilb/conformance/casedoc"
)

// readMutants reads which cases must catch which known-bad builds, from the heads
// of the patches (see tools/prove).
func readMutants(repo fs.FS, ids []string, dirs ...string) (map[string][]casedoc.Mutant, error) {
	var patches []string
	for _, dir := range dirs {
		found, err := fs.Glob(repo, path.Join(dir, "*.patch"))
		if err != nil {
			return nil, err
		}
		patches = append(patches, found...)
	}
	out := map[string][]casedoc.Mutant{}
	for _, name := range patches {
		b, err := fs.ReadFile(repo, name)
		if err != nil {
			return nil, err
		}
		m := casedoc.Mutant{Name: strings.TrimSuffix(path.Base(name), ".patch"), Patch: name}
		var caughtBy []string
		for line := range strings.Lines(string(b)) {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "diff ") {
				break
			}
			if title, ok := strings.CutPrefix(line, "Title: "); ok {
				m.Title = title
			}
			for _, key := range []string{"Catch: case ", "Also: case "} {
				if id, ok := strings.CutPrefix(line, key); ok {
					caughtBy = append(caughtBy, id)
				}
			}
		}
		for _, id := range caughtBy { // none when a scenario or an incident catches it
			if !slices.Contains(ids, id) {
				return nil, fmt.Errorf("%s: no case is called %s", name, id)
			}
			out[id] = append(out[id], m)
		}
	}
	return out, nil
}
