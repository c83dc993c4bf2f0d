package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// A File is one Go source file as far as the rules look at it.
type File struct {
	Path    string // relative to the root
	Package string // import path below the module, "." for the root
	Test    bool   // test code
	Doc     bool   // carries the package comment
	Name    string // package clause
	Imports []Use
	Calls   []Use // qualified names of imported packages, e.g. "time.Now"
}

// A Use is one occurrence of an import path or a qualified name.
type Use struct {
	What string
	Line int
}

// A Tree is all Go files of a module.
type Tree struct{ Files []File }

// Read parses every Go file below fsys, whatever its build tags, but for
// testdata, hidden folders, bin and out.
func Read(fsys fs.FS) (*Tree, error) {
	t := &Tree{}
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() {
			if p != "." && (strings.HasPrefix(base, ".") || base == "testdata" || base == "bin" || base == "out") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(base, ".go") {
			return nil
		}
		src, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		f, err := parse(p, src)
		if err != nil {
			return err
		}
		t.Files = append(t.Files, f)
		return nil
	})
	return t, err
}

func parse(p string, src []byte) (File, error) {
	fset := token.NewFileSet()
	a, err := parser.ParseFile(fset, p, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return File{}, fmt.Errorf("parse: %w", err)
	}
	dir := path.Dir(p)
	f := File{
		Path: p, Package: dir, Name: a.Name.Name, Doc: a.Doc != nil,
		Test: strings.HasSuffix(p, "_test.go") || strings.HasSuffix(path.Base(dir), "test"),
	}
	local := map[string]string{}
	for _, spec := range a.Imports {
		imp, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return File{}, fmt.Errorf("parse %s: %w", p, err)
		}
		name := path.Base(imp)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		local[name] = imp
		f.Imports = append(f.Imports, Use{strings.TrimPrefix(imp, Module+"/"), fset.Position(spec.Pos()).Line})
	}
	ast.Inspect(a, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok && local[id.Name] != "" {
				f.Calls = append(f.Calls, Use{local[id.Name] + "." + s.Sel.Name, fset.Position(s.Pos()).Line})
			}
		}
		return true
	})
	return f, nil
}
