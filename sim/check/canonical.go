package check

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/unilb/unilb/sim/history"
)

// added are the fields that the Admin API sets itself, at the top of every object.
var added = []string{"create_time", "update_time", "id"}

// A fieldSet holds the paths of fields, "upstream.nodes", for comparing what was
// read with what was written. Elements of a list have the path of the list and "[]".
type fieldSet map[string]bool

// fieldsOf collects the fields that the puts of one key ever wrote.
func fieldsOf(calls []history.AdminCall) fieldSet {
	fs := fieldSet{}
	for _, c := range calls {
		if c.Verb == "put" {
			if v, err := decoded(c.Object); err == nil {
				fs.add("", v)
			}
		}
	}
	return fs
}

func (fs fieldSet) add(path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			fs[path+"."+k] = true
			fs.add(path+"."+k, e)
		}
	case []any:
		for _, e := range v {
			fs.add(path+"[]", e)
		}
	}
}

// canonical writes a value so that equal ones are equal texts: fields in order,
// without those that the API added. What is not JSON stays as it is. A key that
// nobody put keeps all its fields.
func canonical(raw json.RawMessage, written fieldSet) string {
	v, err := decoded(raw)
	if err != nil {
		return string(raw)
	}
	b, err := json.Marshal(written.keep("", v))
	if err != nil {
		return string(raw)
	}
	return string(b)
}

func (fs fieldSet) keep(path string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			at := path + "." + k
			if path == "" && slices.Contains(added, k) || len(fs) > 0 && !fs[at] {
				delete(v, k)
				continue
			}
			v[k] = fs.keep(at, e)
		}
	case []any:
		for i, e := range v {
			v[i] = fs.keep(path+"[]", e)
		}
	}
	return v
}

func decoded(raw json.RawMessage) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // 1 and 1.0 are different texts of a writer, and no float loses digits
	var v any
	err := d.Decode(&v)
	return v, err
}
