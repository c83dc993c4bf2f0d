package main

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// matches tells whether the import path p falls under one of the patterns.
func matches(patterns []string, p string) bool {
	for _, pat := range patterns {
		if base, ok := strings.CutSuffix(pat, "/..."); ok {
			if p == base || strings.HasPrefix(p, base+"/") {
				return true
			}
		} else if p == pat {
			return true
		}
	}
	return false
}

func (s Scope) covers(test bool) bool {
	return s == TestsToo || (s == TestsOnly) == test
}

// CheckImports reports every import that a rule forbids.
func (t *Tree) CheckImports(rules []Rule) []string {
	var out []string
	for _, f := range t.Files {
		for _, r := range rules {
			if !r.Tests.covers(f.Test) || (r.From != nil && !matches(r.From, f.Package)) || matches(r.Not, f.Package) {
				continue
			}
			for _, u := range f.Imports {
				if matches(r.Forbid, u.What) && !matches(r.Allow, u.What) && u.What != f.Package {
					out = append(out, fmt.Sprintf("%s:%d: %s may not import %s: %s", f.Path, u.Line, f.Package, u.What, r.Why))
				}
			}
		}
	}
	return out
}

// CheckCalls reports every use of a name that a rule forbids.
func (t *Tree) CheckCalls(rules []CallRule) []string {
	var out []string
	for _, f := range t.Files {
		for _, r := range rules {
			if !r.Tests.covers(f.Test) || !matches(r.From, f.Package) {
				continue
			}
			for _, u := range f.Calls {
				if slices.Contains(r.Names, u.What) {
					out = append(out, fmt.Sprintf("%s:%d: %s may not use %s: %s", f.Path, u.Line, f.Package, u.What, r.Why))
				}
			}
		}
	}
	return out
}

// CheckDocs reports packages that have no package comment, or several.
// External test packages need none.
func (t *Tree) CheckDocs() []string {
	docs := map[string][]string{}
	for _, f := range t.Files {
		if strings.HasSuffix(f.Path, "_test.go") {
			if path.Base(f.Path) != "doc_test.go" || !f.Doc {
				continue
			}
		}
		if docs[f.Package] == nil {
			docs[f.Package] = []string{}
		}
		if f.Doc {
			docs[f.Package] = append(docs[f.Package], f.Path)
		}
	}
	var out []string
	for pkg, files := range docs {
		switch {
		case len(files) == 0:
			out = append(out, fmt.Sprintf("%s: no package comment; say what the package owns, what it never does, what is safe for concurrent use", pkg))
		case len(files) > 1:
			slices.Sort(files)
			out = append(out, fmt.Sprintf("%s: %d package comments (%s); keep one", pkg, len(files), strings.Join(files, ", ")))
		}
	}
	slices.Sort(out)
	return out
}
