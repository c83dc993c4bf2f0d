package strict

import (
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// value converts one node of the library's tree.
func (r *reader) value(n ast.Node) *value {
	switch n := n.(type) {
	case nil:
		return &value{form: formNothing, at: r.place(nil)}
	case *ast.MappingNode:
		return r.mapping(n.GetToken(), n.Values)
	case *ast.MappingValueNode: // a mapping of one entry
		return r.mapping(n.Key.GetToken(), []*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		v := &value{form: formList, at: r.place(n.GetToken())}
		for _, item := range n.Values {
			v.items = append(v.items, r.value(item))
		}
		return v
	}
	return r.scalar(n)
}

func (r *reader) scalar(n ast.Node) *value {
	t := n.GetToken()
	v := &value{at: r.place(t)}
	switch n := n.(type) {
	case *ast.StringNode:
		v.form, v.text = formText, n.Value
	case *ast.LiteralNode:
		v.form, v.text = formText, n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		v.form, v.text = formNumber, t.Value
	case *ast.BoolNode:
		v.form, v.text = formBool, t.Value
	case *ast.NullNode:
		v.form = formNothing
	default:
		r.fail(t, "%s is not used in %s files", n.Type(), r.format)
		v.form = formNothing
	}
	return v
}

func (r *reader) mapping(start *token.Token, pairs []*ast.MappingValueNode) *value {
	if start.Type != token.MappingStartType && len(pairs) > 0 {
		start = pairs[0].Key.GetToken() // not its colon
	}
	v := &value{form: formMapping, at: r.place(start)}
	seen := make(map[string]place, len(pairs))
	for _, p := range pairs {
		t := p.Key.GetToken()
		key := r.value(p.Key)
		if key.form == formMapping || key.form == formList {
			r.fail(t, "a key is a plain word")
			continue
		}
		// A key is a word, also where YAML sees a number: "etcd: {members: {1: az1}}".
		e := entry{key: key.text, at: r.place(t), value: r.value(p.Value)}
		if key.form == formNothing {
			e.key = t.Value
		}
		if first, ok := seen[e.key]; ok {
			r.fail(t, "key %q is already set in line %d", e.key, first.line)
			continue
		}
		seen[e.key] = e.at
		v.entries = append(v.entries, e)
	}
	return v
}
