package apisix

import (
	"encoding/json"
	"math"
	"strings"
)

// The functions below read fields of validated trees: a field that is absent, or
// null where the schema lets null pass, gives the default. Keys are compared
// exactly, as APISIX does (encoding/json would also take "Host" for "host").

func str(t map[string]any, key, def string) string {
	if s, ok := t[key].(string); ok {
		return s
	}
	return def
}

func boolean(t map[string]any, key string, def bool) bool {
	if b, ok := t[key].(bool); ok {
		return b
	}
	return def
}

func optBool(t map[string]any, key string) *bool {
	if b, ok := t[key].(bool); ok {
		return &b
	}
	return nil
}

func number(t map[string]any, key string, def float64) float64 {
	if n, ok := t[key].(json.Number); ok {
		if f, err := n.Float64(); err == nil {
			return f
		}
	}
	return def
}

// integer also accepts 10.0 and 1e1, which Lua does not tell from 10. Beyond the
// range of int64 it saturates.
func integer(t map[string]any, key string, def int64) int64 {
	n, ok := t[key].(json.Number)
	if !ok {
		return def
	}
	return toInt(n)
}

func toInt(n json.Number) int64 {
	if i, err := n.Int64(); err == nil {
		return i
	}
	f, err := n.Float64()
	switch {
	case err != nil && !strings.HasPrefix(string(n), "-") || f >= math.MaxInt64:
		return math.MaxInt64
	case err != nil || f <= math.MinInt64:
		return math.MinInt64
	}
	return int64(f)
}

func optInt(t map[string]any, key string) *int {
	if _, ok := t[key].(json.Number); !ok {
		return nil
	}
	i := int(integer(t, key, 0))
	return &i
}

func ints(t map[string]any, key string, def ...int) []int {
	items, ok := t[key].([]any)
	if !ok {
		return def
	}
	out := make([]int, 0, len(items))
	for _, item := range items {
		if n, ok := item.(json.Number); ok {
			out = append(out, int(toInt(n)))
		}
	}
	return out
}

// idOf reads an id, which may be written as a string or as an integer.
func idOf(t map[string]any, key string) string { return IDText(t[key]) }

func strs(t map[string]any, key string) []string {
	items, ok := t[key].([]any)
	if !ok || len(items) == 0 {
		return nil
	}
	out := make([]string, 0, len(items))
	for _, item := range items {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// oneOrMore reads what may be written as one text or as a list. Where both are there the
// list counts alone, as in APISIX.
func oneOrMore(t map[string]any, one, more string) []string {
	if list := strs(t, more); list != nil {
		return list
	}
	if s, ok := t[one].(string); ok && s != "" {
		return []string{s}
	}
	return nil
}

func object(t map[string]any, key string) map[string]any {
	m, _ := t[key].(map[string]any)
	return m
}

func timeout(t map[string]any, key string) *Timeout {
	m, ok := t[key].(map[string]any)
	if !ok {
		return nil
	}
	return &Timeout{Connect: number(m, "connect", 60), Send: number(m, "send", 60), Read: number(m, "read", 60)}
}

// raws returns a member as text again; nil when absent. The order of keys may
// differ from what was written.
func raws(t map[string]any, key string) json.RawMessage {
	v, ok := t[key]
	if !ok || v == nil {
		return nil
	}
	b, err := marshal(v)
	if err != nil {
		return nil // trees come from JSON and always print
	}
	return b
}

// array returns a member that is a list as it was written; Lua prints it as {} when
// it is empty.
func (o *Object) array(name string) json.RawMessage {
	switch v := o.tree[name].(type) {
	case nil:
		return nil
	case map[string]any:
		if len(v) == 0 {
			return json.RawMessage("[]")
		}
	}
	return o.Text(name)
}
