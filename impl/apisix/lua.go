package apisix

import (
	"errors"
	"fmt"
	"strings"

	"github.com/yuin/gopher-lua/ast"
	"github.com/yuin/gopher-lua/parse"
)

// checkLua checks the Lua in a route: APISIX loads it when the route is written,
// and a data plane drops a route whose Lua does not load. It is never run here.
func checkLua(t map[string]any) error {
	if text, ok := t["filter_func"].(string); ok {
		result, err := returned("return " + text)
		if err != nil {
			return fmt.Errorf("failed to load 'filter_func' string: %w", err)
		}
		if _, isFunc := result.(*ast.FunctionExpr); !isFunc {
			return errors.New("'filter_func' should be a function")
		}
	}
	text, ok := t["script"].(string)
	if !ok {
		return nil
	}
	result, err := returned(text)
	if err != nil {
		return fmt.Errorf("failed to load 'script' string: %w", err)
	}
	switch result.(type) {
	case nil, *ast.StringExpr, *ast.NumberExpr, *ast.TrueExpr, *ast.FalseExpr, *ast.NilExpr, *ast.FunctionExpr:
		return errors.New("'script' should be a Lua object")
	}
	return nil
}

// returned is the expression that a chunk returns at its end; nil: it does not.
func returned(chunk string) (ast.Expr, error) {
	stmts, err := parse.Parse(strings.NewReader(chunk), "string")
	if err != nil {
		return nil, errors.New(strings.TrimSpace(err.Error()))
	}
	if len(stmts) == 0 {
		return nil, nil
	}
	last, ok := stmts[len(stmts)-1].(*ast.ReturnStmt)
	if !ok || len(last.Exprs) == 0 {
		return nil, nil
	}
	return last.Exprs[0], nil
}
