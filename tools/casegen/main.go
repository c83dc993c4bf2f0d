// Command casegen gathers what there is to read about the conformance cases: their
// declarations, the comments above them, the proofs in their tests and the
// known-bad builds that they must catch. It writes conformance/casedoc/cases.json
// and a page for each case under docs/cases, and removes pages of cases that are
// gone. With --check it writes nothing and fails when a file is not what it would
// write. Run it in the root of the repository.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/unilb/unilb/conformance/casedoc"
	"github.com/unilb/unilb/conformance/cases"
)

func main() {
	check := flag.Bool("check", false, "only compare")
	flag.Parse()
	if err := run(os.DirFS("."), *check); err != nil {
		fmt.Fprintln(os.Stderr, "casegen:", err)
		os.Exit(1)
	}
}

func run(repo fs.FS, check bool) error {
	entries, err := gather(repo)
	if err != nil {
		return err
	}
	files, err := render(entries)
	if err != nil {
		return err
	}
	stale, err := stalePages(repo, files)
	if err != nil {
		return err
	}
	if check {
		return compare(repo, files, stale)
	}
	if err := os.MkdirAll(casedoc.Pages, 0o755); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(name, files[name], 0o644); err != nil {
			return err
		}
	}
	for _, name := range stale {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

// gather makes the entry of every case. What is missing is reported for all cases
// at once.
func gather(repo fs.FS) ([]casedoc.Entry, error) {
	var ids []string
	for _, c := range cases.All() {
		ids = append(ids, c.ID)
	}
	said, err := readSource(repo, "conformance/cases", ids)
	if err != nil {
		return nil, err
	}
	mutants, err := readMutants(repo, ids, "conformance/mutants", "scenarios/record")
	if err != nil {
		return nil, err
	}
	var entries []casedoc.Entry
	var errs []error
	for _, c := range cases.All() {
		e := casedoc.Declared(c)
		s := said[c.ID]
		e.Source, e.Catches, e.Bugs, e.Mutants = s.file, s.comment, s.bugs, mutants[c.ID]
		if e.Catches == "" {
			errs = append(errs, fmt.Errorf("case %s: no comment above its declaration says which gateway it catches", c.ID))
		}
		if !e.Proved() {
			errs = append(errs, fmt.Errorf("case %s: nothing shows that it can be red; name bugs in a proof_*_test.go, or the case as the catcher of a known-bad build", c.ID))
		}
		entries = append(entries, e)
	}
	return entries, errors.Join(errs...)
}

// render makes the files, by their names from the root of the repository.
func render(entries []casedoc.Entry) (map[string][]byte, error) {
	var list bytes.Buffer
	enc := json.NewEncoder(&list)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(entries); err != nil {
		return nil, err
	}
	files := map[string][]byte{casedoc.File: list.Bytes(), casedoc.Pages + "/README.md": []byte(casedoc.Index(entries))}
	for _, e := range entries {
		files[e.Page()] = []byte(e.Markdown())
	}
	return files, nil
}

// stalePages are generated pages of cases that are gone.
func stalePages(repo fs.FS, files map[string][]byte) ([]string, error) {
	pages, err := fs.Glob(repo, path.Join(casedoc.Pages, "*.md"))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(pages, func(name string) bool {
		b, err := fs.ReadFile(repo, name)
		return files[name] != nil || err != nil || !strings.HasPrefix(string(b), casedoc.Generated)
	}), nil
}

func compare(repo fs.FS, files map[string][]byte, stale []string) error {
	const remedy = "run make docs"
	for _, name := range slices.Sorted(maps.Keys(files)) {
		have, err := fs.ReadFile(repo, name)
		if err != nil {
			return fmt.Errorf("%w: %s", err, remedy)
		}
		if !bytes.Equal(have, files[name]) {
			return fmt.Errorf("%s is not what the cases say: %s", name, remedy)
		}
	}
	if len(stale) > 0 {
		return fmt.Errorf("%s is about a case that is gone: %s", stale[0], remedy)
	}
	return nil
}
