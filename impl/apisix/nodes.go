package apisix

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// nodesOf reads the nodes of a validated upstream in the order in which they
// were written; raw is the upstream as text.
func nodesOf(nodes any, raw []byte) ([]Node, error) {
	switch t := nodes.(type) {
	case []any:
		return listedNodes(t), nil
	case map[string]any:
		if len(t) < 2 {
			return mappedNodes(t, sortedKeys(t))
		}
		members := map[string]json.RawMessage{}
		if err := json.Unmarshal(raw, &members); err != nil {
			return nil, &SyntaxError{err}
		}
		order, err := keyOrder(members["nodes"])
		if err != nil {
			return nil, err
		}
		return mappedNodes(t, order)
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

// keyOrder returns the keys of an object of scalars as written, each once.
func keyOrder(raw []byte) ([]string, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("read nodes: %w", err)
	}
	var keys []string
	seen := map[string]bool{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("read nodes: %w", err)
		}
		if _, err := d.Token(); err != nil {
			return nil, fmt.Errorf("read nodes: %w", err)
		}
		if k, ok := key.(string); ok && !seen[k] {
			seen[k] = true
			keys = append(keys, k)
		}
	}
	return keys, nil
}
