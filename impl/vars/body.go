package vars

import (
	"errors"
	"strings"

	"github.com/unilb/unilb/impl/exchange"
	"github.com/unilb/unilb/impl/vars/content"
)

// bodyRead is what was read of a body, once for all variables.
type bodyRead struct {
	hasTree, hasForm, hasOperation bool

	tree      any // of JSON, or of a form
	form      content.Form
	operation *content.Operation // nil: there is none
}

// Value returns a variable that is in the body of the request, as encoding/json decodes
// with UseNumber, and any other as Var does:
//
//	post_arg_<name>     the first value of a field of a form (urlencoded)
//	post_arg.<path>     a value of JSON or a form (urlencoded or multipart), see content.Find
//	graphql_name, graphql_operation, graphql_root_fields
//	                    of the GraphQL document in the body of a POST or in ?query= of a GET
//
// The second result is false for one that is absent, and as long as the body is unread or
// not there whole. NeedsBody then says that it was needed, unless there is none, or one of
// another content type.
func (v *Request) Value(name string) (any, bool) {
	if field, ok := strings.CutPrefix(name, "post_arg_"); ok {
		return some(v.form().First(field))
	}
	if path, ok := strings.CutPrefix(name, "post_arg."); ok {
		return v.postArg(path)
	}
	if part, ok := strings.CutPrefix(name, "graphql_"); ok {
		return v.graphQL(part)
	}
	return some(v.Var(name))
}

func some(text string, ok bool) (any, bool) { return text, ok }

// NeedsBody tells that a variable was asked for that may be in the body, which is unread: it
// was told to be absent, and another answer needs Exchange.Collect.
func (v *Request) NeedsBody() bool {
	return v.asked && v.x.Request.Body.State == exchange.BodyUnread
}

// Refused is why a body that is there was not read as far as a variable is asked for; nil: it
// was. The variable was told to be absent, which may not be so.
func (v *Request) Refused() error { return v.refused }

// ForgetBody lets go of the body, and of what was found in it, which is larger: variables in
// it are absent from now on.
func (v *Request) ForgetBody() {
	v.read = nil
	v.x.Request.Body.Bytes = nil
}

// Media types of bodies that have variables.
const (
	typeForm      = "application/x-www-form-urlencoded"
	typeMultipart = "multipart/form-data"
	typeJSON      = "application/json"
)

// mediaType tells whether the body is of a type, parameters left out.
func (v *Request) mediaType(want string) bool {
	value, _ := v.x.Request.Fields.Get("Content-Type")
	have, _, _ := strings.Cut(value, ";")
	return exchange.EqualFold(exchange.TrimBlanks(have), want)
}

// whole tells whether the body is there to be read. Who asks for one that nobody has
// collected leaves a mark.
func (v *Request) whole() bool {
	r := &v.x.Request
	if r.HasBody() && r.Body.State == exchange.BodyUnread {
		v.asked = true
	}
	return r.HasBody() && r.Body.State == exchange.BodyWhole
}

// reading is what was read of the body so far.
func (v *Request) reading() *bodyRead {
	if v.read == nil {
		v.read = &bodyRead{}
	}
	return v.read
}

// refuse keeps why a body was not read, if that is no fault of its text.
func (v *Request) refuse(err error) {
	if errors.Is(err, content.ErrBounds) && v.refused == nil {
		v.refused = err
	}
}

// form is the form in an urlencoded body; nil when there is none.
func (v *Request) form() content.Form {
	if !v.mediaType(typeForm) || !v.whole() {
		return nil
	}
	b := v.reading()
	if !b.hasForm {
		var err error
		b.form, err = content.ParseForm(v.x.Request.Body.Bytes, unescape)
		b.hasForm = true
		v.refuse(err)
	}
	return b.form
}

// postArg is what stands at a path. In a form that is the name of a field first.
func (v *Request) postArg(path string) (any, bool) {
	tree := v.tree()
	if fields, _ := tree.(map[string]any); !v.mediaType(typeJSON) {
		if value, ok := fields[path]; ok {
			return value, true
		}
	}
	value, ok, err := content.Find(tree, path)
	v.refuse(err)
	return value, ok
}

// tree is the body as JSON has it; nil when it has none.
func (v *Request) tree() any {
	ofForm := v.mediaType(typeForm)
	if !ofForm && !v.mediaType(typeJSON) && !v.mediaType(typeMultipart) || !v.whole() {
		return nil
	}
	b := v.reading()
	if b.hasTree {
		return b.tree
	}
	b.hasTree = true
	var err error
	switch form := content.Form(nil); {
	case ofForm:
		b.tree = v.form().Tree()
	case v.mediaType(typeJSON):
		b.tree, err = content.ParseJSON(v.x.Request.Body.Bytes)
	default:
		contentType, _ := v.x.Request.Fields.Get("Content-Type")
		form, err = content.ParseMultipart(v.x.Request.Body.Bytes, contentType)
		b.tree = form.Tree()
	}
	v.refuse(err)
	return b.tree
}

// graphQL is a variable of the operation of a GraphQL document. An operation without a
// name has the name "".
func (v *Request) graphQL(part string) (any, bool) {
	op := v.operation()
	if op == nil {
		return nil, false
	}
	switch part {
	case "name":
		return op.Name, true
	case "operation":
		return op.Kind, true
	case "root_fields":
		list := make([]any, len(op.RootFields))
		for i, f := range op.RootFields {
			list[i] = f
		}
		return list, true
	}
	return nil, false
}

// operation is that of the document of the request; nil when there is none.
func (v *Request) operation() *content.Operation {
	if v.read != nil && v.read.hasOperation {
		return v.read.operation
	}
	document, ok := v.document()
	if !ok {
		return nil
	}
	op, err := content.ParseGraphQL(document)
	v.refuse(err)
	b := v.reading()
	b.operation, b.hasOperation = op, true
	return op
}

// document finds the GraphQL document of a request where APISIX does: in the argument query
// of a GET; of a POST in the member of that name, when it is JSON, else it is the whole body,
// whatever its type.
func (v *Request) document() (string, bool) {
	const member = "query"
	r := &v.x.Request
	switch {
	case r.Method == "GET":
		return queryArg(r.Query, member)
	case r.Method != "POST" || !v.whole():
		return "", false
	case !v.mediaType(typeJSON):
		return string(r.Body.Bytes), true
	}
	object, _ := v.tree().(map[string]any)
	document, ok := object[member].(string)
	return document, ok
}
