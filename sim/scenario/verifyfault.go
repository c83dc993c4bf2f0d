package scenario

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/topology"
	"github.com/unilb/unilb/topology/strict"
)

// fault checks a fault against the plan: that it is well formed, that what it
// selects exists, and that the plan has what it needs.
func (c *checker) fault(at string, f *Fault) {
	value := f.Fault()
	if spelled, ok := value.(fault.Spelled); ok {
		if err := spelled.Spelling(); err != nil {
			c.report.Fail(at, "%v", err)
			return
		}
	}
	if planned, ok := value.(fault.Planned); ok {
		if err := planned.CheckPlan(c.Plan); err != nil {
			c.report.Fail(at, "%v", err)
		}
	}
	v := reflect.ValueOf(value)
	nodes := c.Plan.Select("**")
	for _, field := range reflect.VisibleFields(v.Type()) {
		key := field.Tag.Get("json")
		if comma := strings.IndexByte(key, ','); comma >= 0 {
			key = key[:comma]
		}
		if field.Tag.Get("doc") == "" {
			continue // decided at injection
		}
		switch x := v.FieldByIndex(field.Index).Interface().(type) {
		case topology.Selector:
			if nodes = c.Plan.Select(x); len(nodes) == 0 {
				c.report.Fail(at+"."+key, "no node of %s is selected by %q", c.Plan.Lab, strict.Shorten(string(x)))
			}
		case topology.LinkSelector:
			c.link(at+"."+key, x)
		case string:
			if key == "process" && x != "" {
				c.process(at+"."+key, x, nodes)
			}
		}
	}
}

func (c *checker) link(at string, sel topology.LinkSelector) {
	for i := range c.Plan.Links {
		if l := &c.Plan.Links[i]; sel.Match(l.A.Node, l.B.Node) {
			return
		}
	}
	c.report.Fail(at, "no link of %s is selected by %q", c.Plan.Lab, strict.Shorten(string(sel)))
}

// process checks that one of the nodes runs a process of that name.
func (c *checker) process(at, name string, nodes []*topology.Node) {
	var known []string
	for _, n := range nodes {
		for _, p := range n.Processes {
			if !slices.Contains(known, p.Name) {
				known = append(known, p.Name)
			}
		}
	}
	if len(nodes) > 0 && !slices.Contains(known, name) {
		c.report.Fail(at, "none of the selected nodes runs %q%s", strict.Shorten(name), strict.DidYouMean(name, known))
	}
}

// check checks what a check says of itself, and the names that it refers to.
func (c *checker) check(at string, a *check.Any) {
	if a.Value == nil {
		return // it has been said what is wrong with it
	}
	spec := a.Spec()
	if err := spec.Spelling(); err != nil {
		c.report.Fail(at, "%v", err)
	}
	for _, name := range check.During(spec) {
		if what := c.named[name]; what != aFault && what != aSpan {
			var known []string
			for n, w := range c.named {
				if w == aFault || w == aSpan {
					known = append(known, n)
				}
			}
			slices.Sort(known)
			c.report.Fail(at, "no step names %q%s", strict.Shorten(name), strict.DidYouMean(name, known))
		}
	}
	selectors(reflect.ValueOf(spec), at, func(path string, sel topology.Selector) {
		if sel.Check() == nil && len(c.Plan.Select(sel)) == 0 {
			c.report.Fail(path, "no node of %s is selected by %q", c.Plan.Lab, strict.Shorten(string(sel)))
		}
	})
	for _, stream := range check.StreamsOf(spec) {
		c.known(at, "load", stream, c.loads)
	}
}

// selectors finds the parts of the topology that a check is about.
func selectors(v reflect.Value, path string, f func(path string, sel topology.Selector)) {
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			selectors(v.Index(i), fmt.Sprintf("%s[%d]", path, i), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			selectors(v.Field(i), path+"."+strings.ToLower(field.Name), f)
		}
	case reflect.String:
		if v.Type() == reflect.TypeFor[topology.Selector]() && v.String() != "" {
			f(path, topology.Selector(v.String()))
		}
	}
}
