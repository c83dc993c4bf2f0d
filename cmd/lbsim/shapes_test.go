package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A shape are the fields that objects of one type have: always, and sometimes.
type shape struct{ always, sometimes string }

// shapes are those of objects that are about runs: several verbs print them, and
// programs rely on their being alike.
var shapes = map[string]shape{
	"run":     {"run dir name started command scenario seed topology lab digests gateways machine", "took set commit ended result"},
	"step":    {"name text at took", ""},
	"failed":  {"name text at took", ""},
	"judged":  {"name text at took", ""},
	"history": {"zero ops arrivals lost", ""},
	"moment":  {"at kind text", "node touches"},
	"stream":  {"stream ok fail info", "classes"},
	"verdict": {"check state examined summary", "evidence excused"},
	"result":  {"run dir result interrupted failed problems notes rerun", ""},
}

// check compares the fields of an object with the shape.
func (s shape) check(o map[string]any) error {
	always, sometimes := strings.Fields(s.always), strings.Fields(s.sometimes)
	for _, name := range always {
		if _, ok := o[name]; !ok {
			return fmt.Errorf("has no %q: %v", name, slices.Sorted(maps.Keys(o)))
		}
	}
	for name := range o {
		if name != "type" && !slices.Contains(always, name) && !slices.Contains(sometimes, name) {
			return fmt.Errorf("got the field %q, want only %v, and sometimes %v", name, always, sometimes)
		}
	}
	return nil
}
