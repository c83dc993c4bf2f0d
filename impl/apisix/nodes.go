package apisix

import (
	"strings"

	"github.com/unilb/unilb/impl/apisix/jsontree"
)

// nodesOf reads the nodes of a validated upstream in the order in which they
// were written; raw is the upstream as text.
func nodesOf(nodes any, raw string) ([]Node, error) {
	switch t := nodes.(type) {
	case []any:
		return listedNodes(t), nil
	case map[string]any:
		if len(t) < 2 {
			return mappedNodes(t, sortedKeys(t))
		}
		return mappedNodes(t, keyOrder(jsontree.Find(raw, "nodes")))
	}
	return nil, nil
}

func listedNodes(items []any) []Node {
	out := make([]Node, 0, len(items))
	for _, item := range items {
		m, _ := item.(map[string]any)
		out = append(out, Node{
			Host: strings.Trim(str(m, "host", ""), "[]"), Port: int(integer(m, "port", 0)),
			Weight: int(integer(m, "weight", 0)), Priority: int(integer(m, "priority", 0)),
			Metadata: raws(m, "metadata"),
		})
	}
	return out
}

func mappedNodes(m map[string]any, order []string) ([]Node, error) {
	out := make([]Node, 0, len(order))
	for _, addr := range order {
		host, port, err := splitNode(addr)
		if err != nil {
			return nil, err
		}
		out = append(out, Node{Host: host, Port: max(port, 0), Weight: int(integer(m, addr, 0))})
	}
	return out, nil
}

// keyOrder returns the names of the members of an object as written, each once.
func keyOrder(object string) []string {
	var keys []string
	seen := map[string]bool{}
	for name := range jsontree.Members(object) {
		if !seen[name] {
			seen[name] = true
			keys = append(keys, name)
		}
	}
	return keys
}
