package strict

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"
)

var durationType = reflect.TypeFor[time.Duration]()

func isText(v reflect.Value) bool {
	_, ok := v.Addr().Interface().(encoding.TextUnmarshaler)
	return ok
}

// scalar decodes a text, number, truth value, duration, address or network.
func (d *decoder) scalar(v *value, path string, dst reflect.Value) {
	switch {
	case dst.Type() == durationType:
		d.duration(v, path, dst)
	case isText(dst):
		if !d.expect(v, path, formText) {
			return
		}
		err := dst.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(v.text))
		if err == nil && v.text == "" {
			err = errors.New("empty")
		}
		if err != nil {
			if want := exampleOf(dst.Interface()); want != "" {
				d.fail(v.at, path, "%s is %q; want %s", path, Shorten(v.text), want)
			} else {
				d.fail(v.at, path, "%s is %q: %v", path, Shorten(v.text), err)
			}
			dst.SetZero()
		}
	case dst.Kind() == reflect.String:
		if d.expect(v, path, formText) {
			dst.SetString(v.text)
		}
	case dst.Kind() == reflect.Bool:
		if d.expect(v, path, formBool) {
			dst.SetBool(strings.EqualFold(v.text, "true"))
		}
	case dst.CanFloat():
		d.float(v, path, dst)
	default:
		d.number(v, path, dst)
	}
}

func (d *decoder) duration(v *value, path string, dst reflect.Value) {
	t, err := time.ParseDuration(v.text)
	if err != nil {
		d.fail(v.at, path, "%s is %q; want a time with its unit, such as 500us or 1ms", path, Shorten(v.text))
		return
	}
	dst.SetInt(int64(t))
}

func (d *decoder) float(v *value, path string, dst reflect.Value) {
	if !d.expect(v, path, formNumber) {
		return
	}
	n, err := strconv.ParseFloat(v.text, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		d.fail(v.at, path, "%s is %s; want a number such as 0.05", path, Shorten(v.text))
		return
	}
	dst.SetFloat(n)
}

// plain is the value as any Go program has it: maps, lists, texts, numbers (an
// int64 where it is whole), truth values, nil.
func (v *value) plain() any {
	switch v.form {
	case formMapping:
		m := make(map[string]any, len(v.entries))
		for _, e := range v.entries {
			m[e.key] = e.value.plain()
		}
		return m
	case formList:
		list := make([]any, 0, len(v.items))
		for _, item := range v.items {
			list = append(list, item.plain())
		}
		return list
	case formNumber:
		if n, err := strconv.ParseInt(v.text, 0, 64); err == nil {
			return n
		}
		if n, err := strconv.ParseFloat(v.text, 64); err == nil && !math.IsNaN(n) && !math.IsInf(n, 0) {
			return n
		}
	case formBool:
		return strings.EqualFold(v.text, "true")
	case formNothing:
		return nil
	}
	return v.text
}

func (d *decoder) number(v *value, path string, dst reflect.Value) {
	if !d.expect(v, path, formNumber) {
		return
	}
	bits := dst.Type().Bits()
	if dst.CanUint() {
		if n, err := strconv.ParseUint(v.text, 0, bits); err == nil {
			dst.SetUint(n)
			return
		}
	} else if n, err := strconv.ParseInt(v.text, 0, bits); err == nil {
		dst.SetInt(n)
		return
	}
	within := ""
	if dst.CanUint() {
		within = fmt.Sprintf(" from 0 to %d", ^uint64(0)>>(64-bits))
	}
	d.fail(v.at, path, "%s is %s; want a whole number%s", path, Shorten(v.text), within)
}

// exampleOf says what an address or network looks like; nothing of other types.
func exampleOf(v any) string {
	switch v.(type) {
	case netip.Prefix:
		return "a network such as 192.168.0.0/24"
	case netip.Addr:
		return "an address such as 192.168.0.10"
	}
	return ""
}
