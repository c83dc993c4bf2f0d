package content

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"
)

// MaxFields bounds the fields of a form, files included.
const MaxFields = 1000

// A Form has the values of its fields in their order.
type Form map[string][]string

// First is the first value of a field.
func (f Form) First(name string) (string, bool) {
	if v := f[name]; len(v) > 0 {
		return v[0], true
	}
	return "", false
}

// Tree is the form as a JSON object would have it: a field that comes once is a string,
// one that is repeated a list.
func (f Form) Tree() map[string]any {
	tree := make(map[string]any, len(f))
	for name, values := range f {
		if len(values) == 1 {
			tree[name] = values[0]
			continue
		}
		list := make([]any, len(values))
		for i, v := range values {
			list[i] = v
		}
		tree[name] = list
	}
	return tree
}

// ParseForm reads application/x-www-form-urlencoded. Names and values go through unescape.
func ParseForm(body []byte, unescape func(string) string) (Form, error) {
	if n := bytes.Count(body, []byte("&")) + 1; n > MaxFields {
		return nil, beyond("a form of %d fields, more than %d", n, MaxFields)
	}
	f := Form{}
	for part := range strings.SplitSeq(string(body), "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name = unescape(name)
		f[name] = append(f[name], unescape(value))
	}
	return f, nil
}

// ParseMultipart reads multipart/form-data, of which contentType has the boundary. Files
// are left out.
func ParseMultipart(body []byte, contentType string) (Form, error) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, fmt.Errorf("content type %q: %w", contentType, err)
	}
	boundary := params["boundary"]
	if boundary == "" {
		return nil, fmt.Errorf("content type %q has no boundary", contentType)
	}
	f, parts := Form{}, multipart.NewReader(bytes.NewReader(body), boundary)
	for n := 1; ; n++ {
		p, err := parts.NextRawPart() // encodings of parts are out of use
		switch {
		case errors.Is(err, io.EOF):
			return f, nil
		case errors.Is(err, multipart.ErrMessageTooLarge):
			return nil, beyond("the head of part %d of a form is too long", n)
		case err != nil:
			return nil, fmt.Errorf("part %d: %w", n, err)
		case n > MaxFields:
			return nil, beyond("a form of more than %d parts", MaxFields)
		case p.FormName() == "" || p.FileName() != "":
			continue
		}
		value, err := io.ReadAll(p)
		if err != nil {
			return nil, fmt.Errorf("part %d: %w", n, err)
		}
		f[p.FormName()] = append(f[p.FormName()], string(value))
	}
}
