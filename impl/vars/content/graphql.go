package content

import (
	"errors"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// Bounds of a GraphQL document.
const (
	MaxDocument = 1 << 20 // bytes, as in APISIX (graphql.max_size)
	MaxTokens   = 15_000
)

// An Operation is the first of a GraphQL document.
type Operation struct {
	Name string // empty: it has none
	Kind string // query, mutation or subscription
	// RootFields are the names of the fields it selects at the top, those of fragments
	// among them, each as often as it stands there.
	RootFields []string
}

// ParseGraphQL reads a document that has an operation.
func ParseGraphQL(document string) (*Operation, error) {
	if len(document) > MaxDocument {
		return nil, beyond("a GraphQL document of %d bytes, more than %d", len(document), MaxDocument)
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: document}, MaxTokens)
	if err != nil {
		// The parser has one type of error for all: those of its two bounds are known by
		// their texts.
		if text := err.Error(); strings.Contains(text, "exceeded token limit") || strings.Contains(text, "exceeded maximum nesting depth") {
			return nil, beyond("a GraphQL document of more than %d tokens, or nested deeper than %d", MaxTokens, parser.MaxNestingDepth)
		}
		return nil, err
	}
	if len(doc.Operations) == 0 {
		return nil, errors.New("a GraphQL document without an operation")
	}
	first := doc.Operations[0]
	op := &Operation{Name: first.Name, Kind: string(first.Operation)}
	op.collect(doc, first.SelectionSet, map[string]bool{})
	return op, nil
}

// collect adds the fields of a selection. Who spreads a fragment asks for what is in it,
// and for no more when he does it again.
func (o *Operation) collect(doc *ast.QueryDocument, set ast.SelectionSet, spread map[string]bool) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			o.RootFields = append(o.RootFields, s.Name)
		case *ast.InlineFragment:
			o.collect(doc, s.SelectionSet, spread)
		case *ast.FragmentSpread:
			if f := doc.Fragments.ForName(s.Name); f != nil && !spread[s.Name] {
				spread[s.Name] = true
				o.collect(doc, f.SelectionSet, spread)
			}
		}
	}
}
