package topology

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Validate says whether the Spec can become a Plan: names, numbers, references,
// addresses. It returns all problems at once as Errors. A count or text that is
// zero counts as its default.
func (s *Spec) Validate() error {
	c := s.clone()
	c.fill()
	return c.problems().orNil()
}

// problems examines a Spec whose defaults are filled in.
func (s *Spec) problems() Errors {
	c := &checker{spec: s, src: s.src}
	c.limits(reflect.ValueOf(s).Elem(), "")
	c.names()
	c.references()
	c.addresses()
	c.overlaps()
	c.sizes()
	return c.errs
}

// A checker collects the problems of a Spec.
type checker struct {
	spec *Spec
	src  *source
	errs Errors
}

func (c *checker) fail(path, format string, args ...any) {
	at := c.src.place(path)
	c.errs = append(c.errs, Error{File: at.file, Line: at.line, Col: at.col, Msg: fmt.Sprintf(format, args...), path: path})
}

// limits checks what the tags of the Spec say.
func (c *checker) limits(v reflect.Value, path string) {
	sh := shapeOf(v.Type())
	for _, f := range sh.fields {
		at := path
		if f.index != sh.value {
			at = join(path, f.name)
		}
		fv := v.Field(f.index)
		c.limit(f, fv, at)
		switch {
		case fv.Kind() == reflect.Slice && fv.Type().Elem().Kind() == reflect.Struct:
			for i := range fv.Len() {
				c.limits(fv.Index(i), itemPath(fv, i, at))
			}
		case fv.Kind() == reflect.Struct && !isText(fv):
			c.limits(fv, at)
		}
	}
}

// itemPath is the path of an entry: by its name where the file has names.
func itemPath(list reflect.Value, i int, path string) string {
	if key := shapeOf(list.Type().Elem()).key; key >= 0 {
		return join(path, list.Index(i).Field(key).String())
	}
	return join(path, "["+strconv.Itoa(i)+"]")
}

func (c *checker) limit(f field, v reflect.Value, path string) {
	switch {
	case v.IsZero() && !c.src.has(path):
		if f.required {
			c.fail(path, "%s is missing%s", path, hint(f, v))
		}
	case v.Kind() == reflect.Slice:
		if f.required && v.Len() == 0 {
			c.fail(path, "%s is empty; want at least one", path)
		}
		if most, err := strconv.Atoi(f.max); err == nil && v.Len() > most {
			c.fail(path, "%s has %d entries; at most %d", path, v.Len(), most)
		}
	case v.Kind() == reflect.String:
		if len(f.enum) > 0 && !slices.Contains(f.enum, v.String()) {
			c.fail(path, "%s is %q; want %s%s", path, shorten(v.String()), strings.Join(f.enum, " or "), meant(v.String(), f.enum))
		} else if f.required && v.String() == "" {
			c.fail(path, "%s is empty", path)
		}
	case v.Type() == durationType:
		least, _ := time.ParseDuration(f.min)
		most, _ := time.ParseDuration(f.max)
		if d := time.Duration(v.Int()); d < least || d > most {
			c.fail(path, "%s is %s; want %s to %s", path, d, least, most)
		}
	case v.CanInt() || v.CanUint():
		c.number(f, v, path)
	}
}

func (c *checker) number(f field, v reflect.Value, path string) {
	var n int64
	if v.CanUint() {
		n = int64(min(v.Uint(), 1<<62))
	} else {
		n = v.Int()
	}
	if least, err := strconv.ParseInt(f.min, 10, 64); err == nil && n < least {
		c.fail(path, "%s is %d; at least %d", path, n, least)
	}
	if most, err := strconv.ParseInt(f.max, 10, 64); err == nil && n > most {
		c.fail(path, "%s is %d; at most %d", path, n, most)
	}
}

// has says whether the file gives a value for the path.
func (s *source) has(path string) bool {
	if s == nil {
		return false
	}
	_, ok := s.at[path]
	return ok
}

func hint(f field, v reflect.Value) string {
	if len(f.enum) > 0 {
		return "; want " + strings.Join(f.enum, " or ")
	}
	if isText(v) {
		return "; want " + exampleOf(v.Interface())
	}
	return ""
}

func meant(got string, words []string) string {
	if w := nearest(got, words); w != "" {
		return fmt.Sprintf(" (did you mean %q?)", w)
	}
	return ""
}
