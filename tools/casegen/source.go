package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// said is what the source says about a case.
type said struct {
	file    string   // that declares it
	comment string   // above the declaration, one line a paragraph
	bugs    []string // of the reference gateway, in the order of the proof
}

// readSource reads declarations and proofs in every package below dir.
func readSource(repo fs.FS, dir string, ids []string) (map[string]said, error) {
	out := map[string]said{}
	err := fs.WalkDir(repo, dir, func(name string, d fs.DirEntry, err error) error {
		isProof := strings.HasPrefix(path.Base(name), "proof") && strings.HasSuffix(name, "_test.go")
		switch {
		case err != nil:
			return err
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") && !isProof:
			return nil
		}
		b, err := fs.ReadFile(repo, name)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, b, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if isProof {
			takeBugs(f, ids, out)
		} else {
			takeDeclarations(f, name, ids, out)
		}
		return nil
	})
	return out, err
}

// takeDeclarations notes for each case whose id a declaration sets ("ID: ...")
// where that is, and the comment above.
func takeDeclarations(f *ast.File, name string, ids []string, out map[string]said) {
	for _, decl := range f.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			takeDeclared(d, d.Doc, name, ids, out)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				doc := d.Doc
				if v, ok := s.(*ast.ValueSpec); ok && v.Doc != nil {
					doc = v.Doc
				}
				takeDeclared(s, doc, name, ids, out)
			}
		}
	}
}

func takeDeclared(n ast.Node, doc *ast.CommentGroup, name string, ids []string, out map[string]said) {
	ast.Inspect(n, func(n ast.Node) bool {
		kv, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		if key, ok := kv.Key.(*ast.Ident); ok && key.Name == "ID" {
			if id := literal(kv.Value); slices.Contains(ids, id) {
				s := out[id]
				s.file, s.comment = name, paragraphs(doc.Text())
				out[id] = s
			}
		}
		return true
	})
}

// takeBugs notes the texts that a table keyed by case ids holds for a case.
func takeBugs(f *ast.File, ids []string, out map[string]said) {
	ast.Inspect(f, func(n ast.Node) bool {
		kv, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		id := literal(kv.Key)
		if !slices.Contains(ids, id) {
			return true
		}
		s := out[id]
		ast.Inspect(kv.Value, func(n ast.Node) bool {
			if e, ok := n.(ast.Expr); ok {
				if bug := literal(e); bug != "" && !slices.Contains(s.bugs, bug) {
					s.bugs = append(s.bugs, bug)
				}
			}
			return true
		})
		out[id] = s
		return false
	})
}

// literal is the value of a string literal; empty when it is something else.
func literal(e ast.Expr) string {
	b, ok := e.(*ast.BasicLit)
	if !ok || b.Kind != token.STRING {
		return ""
	}
	s, err := strconv.Unquote(b.Value)
	if err != nil {
		return ""
	}
	return s
}

// paragraphs joins the lines of each paragraph.
func paragraphs(comment string) string {
	var out []string
	for p := range strings.SplitSeq(strings.TrimSpace(comment), "\n\n") {
		out = append(out, strings.Join(strings.Fields(p), " "))
	}
	return strings.Join(out, "\n\n")
}
