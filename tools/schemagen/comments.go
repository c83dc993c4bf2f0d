package main

import (
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
)

// module is the import path of the root of the repository.
const module = "github.com/unilb/unilb/"

// comments finds what the source says about types and fields. It is strict.Comments.
type comments struct {
	root     string
	packages map[string]map[string]string // by import path: "Type" or "Type.Field" to text
	err      error                        // the first thing that could not be read
}

// of is the comment of a type, or of its field; empty when there is none.
func (c *comments) of(t reflect.Type, field string) string {
	dir, ours := strings.CutPrefix(t.PkgPath(), module)
	if !ours || c.err != nil {
		return ""
	}
	texts, ok := c.packages[t.PkgPath()]
	if !ok {
		if texts, c.err = read(filepath.Join(c.root, dir)); c.err != nil {
			return ""
		}
		c.packages[t.PkgPath()] = texts
	}
	if field == "" {
		return texts[t.Name()]
	}
	return texts[t.Name()+"."+field]
}

// read parses the package in a directory.
func read(dir string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no Go files in %s: %w", dir, os.ErrNotExist)
	}
	texts := map[string]string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("read comments: %w", err)
		}
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE {
				collect(g, texts)
			}
		}
	}
	return texts, nil
}

// collect notes the types of one declaration and their fields.
func collect(g *ast.GenDecl, texts map[string]string) {
	for _, spec := range g.Specs {
		ts := spec.(*ast.TypeSpec)
		texts[ts.Name.Name] = text(ts.Doc, g.Doc)
		st, ok := ts.Type.(*ast.StructType)
		if !ok {
			continue
		}
		for _, f := range st.Fields.List {
			for _, n := range f.Names {
				texts[ts.Name.Name+"."+n.Name] = text(f.Doc, f.Comment)
			}
		}
	}
}

// text is the first comment that says something, in one line a paragraph.
func text(groups ...*ast.CommentGroup) string {
	for _, g := range groups {
		if t := g.Text(); t != "" {
			var p comment.Parser
			out := (&comment.Printer{TextWidth: -1}).Text(p.Parse(t))
			return strings.TrimSpace(string(out))
		}
	}
	return ""
}
