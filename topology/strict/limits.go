package strict

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits checks what the tags of the struct say. Decode has done so.
func (r *Report) Limits(of any) { r.src.walk(reflect.ValueOf(of).Elem(), "", r.limit) }

func (r *Report) limit(f field, v reflect.Value, path string) {
	switch {
	case v.IsZero() && !r.src.Has(path):
		if f.required {
			r.Fail(path, "%s is missing%s", path, hint(f, v))
		}
	case v.Kind() == reflect.Slice || v.Kind() == reflect.Map:
		if f.required && v.Len() == 0 {
			r.Fail(path, "%s is empty; want at least one", path)
		}
		if most, err := strconv.Atoi(f.max); err == nil && v.Len() > most {
			r.Fail(path, "%s has %d entries; at most %d", path, v.Len(), most)
		}
	case v.Kind() == reflect.String:
		if len(f.enum) > 0 && !slices.Contains(f.enum, v.String()) {
			r.Fail(path, "%s is %q; want %s%s", path, Shorten(v.String()), strings.Join(f.enum, " or "), meant(v.String(), f.enum))
		} else if f.required && v.String() == "" {
			r.Fail(path, "%s is empty", path)
		}
	case v.Type() == durationType:
		r.duration(f, time.Duration(v.Int()), path)
	case v.CanFloat():
		r.float(f, v.Float(), path)
	case v.CanInt() || v.CanUint():
		r.number(f, v, path)
	}
}

func (r *Report) duration(f field, d time.Duration, path string) {
	least, errLeast := time.ParseDuration(f.min)
	most, errMost := time.ParseDuration(f.max)
	switch {
	case errLeast == nil && errMost == nil && (d < least || d > most):
		r.Fail(path, "%s is %s; want %s to %s", path, d, least, most)
	case errLeast == nil && d < least:
		r.Fail(path, "%s is %s; at least %s", path, d, least)
	case errMost == nil && d > most:
		r.Fail(path, "%s is %s; at most %s", path, d, most)
	}
}

func (r *Report) float(f field, n float64, path string) {
	if math.IsNaN(n) {
		r.Fail(path, "%s is not a number", path)
	}
	if least, err := strconv.ParseFloat(f.min, 64); err == nil && n < least {
		r.Fail(path, "%s is %v; at least %v", path, n, least)
	}
	if most, err := strconv.ParseFloat(f.max, 64); err == nil && n > most {
		r.Fail(path, "%s is %v; at most %v", path, n, most)
	}
}

func (r *Report) number(f field, v reflect.Value, path string) {
	var n int64
	if v.CanUint() {
		n = int64(min(v.Uint(), 1<<62))
	} else {
		n = v.Int()
	}
	if least, err := strconv.ParseInt(f.min, 10, 64); err == nil && n < least {
		r.Fail(path, "%s is %d; at least %d", path, n, least)
	}
	if most, err := strconv.ParseInt(f.max, 10, 64); err == nil && n > most {
		r.Fail(path, "%s is %d; at most %d", path, n, most)
	}
}

func hint(f field, v reflect.Value) string {
	if len(f.enum) > 0 {
		return "; want " + strings.Join(f.enum, " or ")
	}
	if want := exampleOf(v.Interface()); want != "" {
		return "; want " + want
	}
	if u := unionOf(v); u != nil {
		return "; want " + oneOf(u)
	}
	return ""
}

func meant(got string, words []string) string {
	if w := nearest(got, words); w != "" {
		return fmt.Sprintf(" (did you mean %q?)", w)
	}
	return ""
}
