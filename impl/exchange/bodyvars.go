package exchange

import (
	"errors"
	"strings"

	"github.com/unilb/unilb/impl/exchange/content"
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
// was too long. Body.Asked then says that it was needed, unless there is none, or one of
// another content type.
func (r *Request) Value(name string) (any, bool) {
	if field, ok := strings.CutPrefix(name, "post_arg_"); ok {
		return some(r.form().First(field))
	}
	if path, ok := strings.CutPrefix(name, "post_arg."); ok {
		return r.postArg(path)
	}
	if part, ok := strings.CutPrefix(name, "graphql_"); ok {
		return r.graphQL(part)
	}
	return some(r.Var(name))
}

func some(text string, ok bool) (any, bool) { return text, ok }

// Media types of bodies that have variables.
const (
	typeForm      = "application/x-www-form-urlencoded"
	typeMultipart = "multipart/form-data"
	typeJSON      = "application/json"
)

// mediaType tells whether the body is of a type, parameters left out.
func (r *Request) mediaType(want string) bool {
	value, _ := r.Fields.Get("Content-Type")
	have, _, _ := strings.Cut(value, ";")
	return EqualFold(trimBlanks(have), want)
}

// whole tells whether the body is there to be read. Who asks for one that nobody has
// collected leaves a mark.
func (r *Request) whole() bool {
	if r.HasBody() && r.Body.State == BodyUnread {
		r.Body.Asked = true
	}
	return r.HasBody() && r.Body.State == BodyWhole
}

// reading is what was read of the body so far.
func (r *Request) reading() *bodyRead {
	if r.Body.read == nil {
		r.Body.read = &bodyRead{}
	}
	return r.Body.read
}

// refuse keeps why a body was not read, if that is no fault of its text.
func (r *Request) refuse(err error) {
	if errors.Is(err, content.ErrBounds) && r.Body.Refused == nil {
		r.Body.Refused = err
	}
}

// form is the form in an urlencoded body; nil when there is none.
func (r *Request) form() content.Form {
	if !r.mediaType(typeForm) || !r.whole() {
		return nil
	}
	b := r.reading()
	if !b.hasForm {
		var err error
		b.form, err = content.ParseForm(r.Body.Bytes, unescape)
		b.hasForm = true
		r.refuse(err)
	}
	return b.form
}

// postArg is what stands at a path. In a form that is the name of a field first.
func (r *Request) postArg(path string) (any, bool) {
	tree := r.tree()
	if fields, _ := tree.(map[string]any); !r.mediaType(typeJSON) {
		if v, ok := fields[path]; ok {
			return v, true
		}
	}
	v, ok, err := content.Find(tree, path)
	r.refuse(err)
	return v, ok
}

// tree is the body as JSON has it; nil when it has none.
func (r *Request) tree() any {
	ofForm := r.mediaType(typeForm)
	if !ofForm && !r.mediaType(typeJSON) && !r.mediaType(typeMultipart) || !r.whole() {
		return nil
	}
	b := r.reading()
	if b.hasTree {
		return b.tree
	}
	b.hasTree = true
	var err error
	switch form := content.Form(nil); {
	case ofForm:
		b.tree = r.form().Tree()
	case r.mediaType(typeJSON):
		b.tree, err = content.ParseJSON(r.Body.Bytes)
	default:
		contentType, _ := r.Fields.Get("Content-Type")
		form, err = content.ParseMultipart(r.Body.Bytes, contentType)
		b.tree = form.Tree()
	}
	r.refuse(err)
	return b.tree
}

// graphQL is a variable of the operation of a GraphQL document. An operation without a
// name has the name "".
func (r *Request) graphQL(part string) (any, bool) {
	op := r.operation()
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
func (r *Request) operation() *content.Operation {
	if r.Body.read != nil && r.Body.read.hasOperation {
		return r.Body.read.operation
	}
	document, ok := r.document()
	if !ok {
		return nil
	}
	op, err := content.ParseGraphQL(document)
	r.refuse(err)
	b := r.reading()
	b.operation, b.hasOperation = op, true
	return op
}

// document finds the GraphQL document of a request where APISIX does: in the argument query
// of a GET; of a POST in the member of that name, when it is JSON, else it is the whole body,
// whatever its type.
func (r *Request) document() (string, bool) {
	const member = "query"
	switch {
	case r.Method == "GET":
		return queryArg(r.Query, member)
	case r.Method != "POST" || !r.whole():
		return "", false
	case !r.mediaType(typeJSON):
		return string(r.Body.Bytes), true
	}
	object, _ := r.tree().(map[string]any)
	document, ok := object[member].(string)
	return document, ok
}
