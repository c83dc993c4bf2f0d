package admin

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// fromYAML turns a document into JSON. It takes no aliases: of a few lines of them
// that stand for each other gigabytes can be made.
func fromYAML(text []byte) ([]byte, error) {
	if nested(text) > maxNesting {
		return nil, fmt.Errorf("YAML is nested more than %d deep", maxNesting)
	}
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

// maxNesting bounds how deep collections may be in one another: what the library holds of
// each grows with its depth.
const maxNesting = 1000

// nested is how deep collections of a document may at most be in one another: brackets and
// braces that stand where one begins, dashes and question marks in front of a line, and
// how far that is from the margin.
func nested(text []byte) int {
	most, open := 0, 0
	for line := range bytes.Lines(text) {
		at, before := 0, 0
		for ; at < len(line) && strings.IndexByte(" -?", line[at]) >= 0; at++ {
			before++
		}
		begins := true
		for _, c := range line[at:] {
			switch c {
			case '[', '{':
				if begins {
					open++
					most = max(most, open+before)
				}
				continue
			case ']', '}':
				open = max(0, open-1)
			}
			begins = strings.IndexByte(" \t,:-?", c) >= 0
		}
		most = max(most, open+before)
	}
	return most
}

// aliases tells whether there are any.
type aliases bool

func (a *aliases) Visit(n ast.Node) ast.Visitor {
	if n.Type() == ast.AliasType || n.Type() == ast.MergeKeyType {
		*a = true
	}
	return a
}
