package admin

import (
	"errors"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// fromYAML turns a document into JSON. It takes no aliases: of a few lines of them
// that stand for each other gigabytes can be made.
func fromYAML(text []byte) ([]byte, error) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, err
	}
	var found aliases
	for _, doc := range file.Docs {
		if doc.Body != nil {
			ast.Walk(&found, doc.Body)
		}
	}
	if found {
		return nil, errors.New("YAML aliases are not supported")
	}
	return yaml.YAMLToJSON(text)
}

// aliases tells whether there are any.
type aliases bool

func (a *aliases) Visit(n ast.Node) ast.Visitor {
	if n.Type() == ast.AliasType || n.Type() == ast.MergeKeyType {
		*a = true
	}
	return a
}
