package topology

import (
	"encoding"
	"fmt"
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
		if err := dst.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(v.text)); err != nil || v.text == "" {
			d.fail(v.at, path, "%s is %q; want %s", path, shorten(v.text), exampleOf(dst.Interface()))
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
	default:
		d.number(v, path, dst)
	}
}

func (d *decoder) duration(v *value, path string, dst reflect.Value) {
	t, err := time.ParseDuration(v.text)
	if err != nil {
		d.fail(v.at, path, "%s is %q; want a time with its unit, such as 500us or 1ms", path, shorten(v.text))
		return
	}
	dst.SetInt(int64(t))
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
	d.fail(v.at, path, "%s is %s; want a whole number%s", path, shorten(v.text), within)
}

// exampleOf says what an address or network looks like.
func exampleOf(v any) string {
	switch v.(type) {
	case netip.Prefix:
		return "a network such as 192.168.0.0/24"
	case netip.Addr:
		return "an address such as 192.168.0.10"
	}
	return "another form"
}
