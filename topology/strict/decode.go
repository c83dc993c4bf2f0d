package strict

import (
	"fmt"
	"reflect"
)

// A decoder fills structs from values and collects what does not fit.
type decoder struct {
	src  *Source
	errs Errors
}

func (d *decoder) fail(at place, path, format string, args ...any) {
	d.src.bad = append(d.src.bad, path)
	d.errs = append(d.errs, Error{File: at.file, Line: at.line, Col: at.col, Msg: fmt.Sprintf(format, args...), Path: path})
}

// decode sets dst to the value at the path. It never stops at a problem.
func (d *decoder) decode(v *value, path string, dst reflect.Value) {
	if u := unionOf(dst); u != nil {
		d.union(v, path, u)
		return
	}
	switch {
	case dst.Kind() == reflect.Struct && !isText(dst):
		d.mapping(v, path, dst)
	case keyed(dst.Type()):
		d.named(v, path, dst)
	case dst.Kind() == reflect.Slice:
		if d.expect(v, path, formList) {
			dst.Set(reflect.MakeSlice(dst.Type(), len(v.items), len(v.items)))
			for i, item := range v.items {
				at := join(path, fmt.Sprintf("[%d]", i))
				d.src.at[at] = item.at
				d.decode(item, at, dst.Index(i))
			}
		}
	case dst.Kind() == reflect.Map:
		d.texts(v, path, dst)
	case dst.Kind() == reflect.Pointer:
		dst.Set(reflect.New(dst.Type().Elem()))
		d.decode(v, path, dst.Elem())
	case dst.Kind() == reflect.Interface:
		if p := v.plain(); p != nil {
			dst.Set(reflect.ValueOf(p))
		}
	default:
		d.scalar(v, path, dst)
	}
}

// texts decodes a map from texts to plain values: keys are free.
func (d *decoder) texts(v *value, path string, dst reflect.Value) {
	if !d.expect(v, path, formMapping) {
		return
	}
	dst.Set(reflect.MakeMapWithSize(dst.Type(), len(v.entries)))
	for _, e := range v.entries {
		at := join(path, e.key)
		d.mark(at, e)
		text := reflect.New(dst.Type().Elem()).Elem()
		d.scalar(e.value, at, text)
		dst.SetMapIndex(reflect.ValueOf(e.key).Convert(dst.Type().Key()), text)
	}
}

// expect complains when the value has another form.
func (d *decoder) expect(v *value, path string, want form) bool {
	if v.form == want {
		return true
	}
	name := path
	if name == "" {
		name = "a " + d.src.format.String()
	}
	switch {
	case v.form == formNothing:
		d.fail(v.at, path, "%s is empty; want %s", name, want)
	case v.text != "" && want == formText:
		d.fail(v.at, path, "%s is %s, not %s; write it in quotes: %q", name, v.form, want, v.text)
	case v.text != "":
		d.fail(v.at, path, "%s is %q; want %s", name, Shorten(v.text), want)
	default:
		d.fail(v.at, path, "%s is %s; want %s", name, v.form, want)
	}
	return false
}

// mapping decodes a struct: a mapping with known keys.
func (d *decoder) mapping(v *value, path string, dst reflect.Value) {
	sh := shapeOf(dst.Type())
	if sh.value != nil {
		d.decode(v, path, dst.FieldByIndex(sh.value))
		return
	}
	if !d.expect(v, path, formMapping) {
		return
	}
	for _, e := range v.entries {
		at := join(path, e.key)
		f, ok := sh.field(e.key)
		if !ok {
			d.unknown(e, path, sh.names())
			continue
		}
		d.mark(at, e)
		d.decode(e.value, at, dst.FieldByIndex(f.index))
	}
}

func (d *decoder) unknown(e entry, path string, names []string) {
	meant := join(path, e.key)
	if near := nearest(e.key, names); near != "" {
		meant = join(path, near) // that it is missing needs no second line
	}
	d.fail(e.at, meant, "unknown key %q%s%s", Shorten(e.key), inPath(path), DidYouMean(e.key, names))
}

// named decodes a slice that the file writes as a mapping from names.
func (d *decoder) named(v *value, path string, dst reflect.Value) {
	if !d.expect(v, path, formMapping) {
		return
	}
	key := shapeOf(dst.Type().Elem()).key
	dst.Set(reflect.MakeSlice(dst.Type(), len(v.entries), len(v.entries)))
	for i, e := range v.entries {
		at := join(path, e.key)
		d.mark(at, e)
		dst.Index(i).FieldByIndex(key).SetString(e.key)
		d.decode(e.value, at, dst.Index(i))
	}
}

// mark remembers the place of an entry: of its value when that is on the same
// line and plain, so that the reader lands on what is wrong, else of its key.
func (d *decoder) mark(path string, e entry) {
	d.src.at[path] = e.at
	if e.value.form != formMapping && e.value.form != formList && e.value.form != formNothing {
		d.src.at[path] = e.value.at
	}
}
