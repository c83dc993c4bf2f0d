package cases

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ahead is a body that may be looked into before it is passed on.
type ahead struct {
	io.Reader
	src  io.ReadCloser
	seen []byte // what was looked at
}

func (a *ahead) Close() error { return a.src.Close() }

// lookAhead reads the body if a route asks for what is in bodies.
func (g *reference) lookAhead(r *http.Request) {
	a := &ahead{Reader: r.Body, src: r.Body}
	r.Body = a
	if !g.asksForBodies() || g.is("leaves bodies alone") || g.is("waits for no expected body") && r.Header.Get("Expect") != "" {
		return
	}
	if g.is("looks at the first piece of a body") {
		a.seen = make([]byte, 4096)
		n, _ := a.src.Read(a.seen)
		a.seen = a.seen[:n]
	} else {
		a.seen, _ = io.ReadAll(a.src)
	}
	if !g.is("eats bodies that it looks into") {
		a.Reader = io.MultiReader(bytes.NewReader(a.seen), a.src)
	}
}

func (g *reference) asksForBodies() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, o := range g.objects {
		if vars, _ := json.Marshal(o.value["vars"]); bytes.Contains(vars, []byte("post_arg")) || bytes.Contains(vars, []byte("graphql_")) {
			return true
		}
	}
	return false
}

// look returns what was read of the body.
func (g *reference) look(r *http.Request) []byte {
	if a, ok := r.Body.(*ahead); ok {
		return a.seen
	}
	return nil
}

// isInBody says whether a variable is in the body.
func isInBody(name string) bool {
	return strings.HasPrefix(name, "post_arg") || strings.HasPrefix(name, "graphql_")
}

// inBody is a variable in the body: nil when it is absent.
func (g *reference) inBody(r *http.Request, name string) any {
	if part, ok := strings.CutPrefix(name, "graphql_"); ok {
		return g.graphQL(r, part)
	}
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if g.is("knows no parameter of a type") {
		kind = r.Header.Get("Content-Type")
	}
	if field, ok := strings.CutPrefix(name, "post_arg_"); ok {
		if kind != "application/x-www-form-urlencoded" && !g.is("reads a form in any body") {
			return nil
		}
		if v := g.fields(r)[field]; len(v) > 0 {
			return v[0]
		}
		return nil
	}
	tree := map[string]any{}
	switch kind {
	case "application/x-www-form-urlencoded":
		for name, v := range g.fields(r) {
			tree[name] = v[0]
			if len(v) > 1 && !g.is("a field is one value") {
				tree[name] = []any{v[0], v[1]}
			}
		}
	case "multipart/form-data":
		form, err := multipart.NewReader(bytes.NewReader(g.look(r)), params["boundary"]).ReadForm(1 << 20)
		if err == nil && !g.is("knows no form in parts") {
			for name, v := range form.Value {
				tree[name] = v[0]
			}
		}
	case "application/json":
		_ = json.Unmarshal(g.look(r), &tree) // no JSON has no values
	}
	return g.at(tree, strings.TrimPrefix(name, "post_arg."))
}

// fields are those of a form.
func (g *reference) fields(r *http.Request) url.Values {
	body := string(g.look(r))
	if g.is("keeps the escapes of a form") {
		body = strings.ReplaceAll(body, "%", "%25")
	}
	if g.is("joins a form with the query") {
		body += "&" + r.URL.RawQuery
	}
	q, _ := url.ParseQuery(body)
	if g.is("the last field") {
		for _, v := range q {
			slices.Reverse(v)
		}
	}
	return q
}

// at is what a path of names, or of lists with all their members, leads to.
func (g *reference) at(tree any, path string) any {
	if g.is("a path is a name") {
		return tree.(map[string]any)[path]
	}
	some, all := []any{tree}, strings.Contains(path, "[*]") && !g.is("a path is of one value")
	for name := range strings.SplitSeq(path, ".") {
		var next []any
		for _, v := range some {
			object, _ := v.(map[string]any)
			v, ok := object[strings.TrimSuffix(name, "[*]")]
			if !ok && g.is("a name is found at any depth") {
				for _, below := range object {
					if o, _ := below.(map[string]any); o[name] != nil {
						v, ok = o[name], true
					}
				}
			}
			if list, isList := v.([]any); isList && strings.HasSuffix(name, "[*]") {
				next = append(next, list...)
			} else if ok {
				next = append(next, v)
			}
		}
		some = next
	}
	switch {
	case len(some) == 0:
		return nil
	case all:
		return some
	}
	return some[0]
}

// graphQL is a variable of a document.
func (g *reference) graphQL(r *http.Request, part string) any {
	document := r.URL.Query().Get("query")
	if r.Method == http.MethodPost {
		document = string(g.look(r))
	} else if g.is("a GET has no document") {
		return nil
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") && !g.is("knows no document in JSON") {
		var body struct{ Query string }
		_ = json.Unmarshal([]byte(document), &body) // no JSON has no document
		document = body.Query
	}
	if g.is("looks for words in a document") {
		words := regexp.MustCompile(`\w+`).FindAllString(document, -1)
		if part == "root_fields" {
			return anyOf(words)
		}
		for _, w := range []string{"mutation", "getRepo"} {
			if slices.Contains(words, w) {
				return w
			}
		}
		return nil
	}
	document = regexp.MustCompile(`#[^\n]*`).ReplaceAllString(document, "")
	head := regexp.MustCompile(`^\s*(query|mutation|subscription)?\s*(\w*)[^{]*\{`).FindStringSubmatch(document)
	if head == nil || strings.Count(document, "{") != strings.Count(document, "}") {
		return nil
	}
	switch part {
	case "operation":
		if head[1] == "" {
			return "query"
		}
		return head[1]
	case "name":
		return head[2]
	}
	return anyOf(g.rootFields(document[len(head[0]):]))
}

// rootFields are the fields of a selection at its top: names without what is in brackets
// behind them, without directives and without the names before a colon.
func (g *reference) rootFields(selection string) (fields []string) {
	nested := regexp.MustCompile(`\([^()]*\)|\{[^{}]*\}|@\w+`)
	if g.is("fields at any depth") {
		nested = regexp.MustCompile(`\([^()]*\)|[{}]|@\w+`)
	}
	selection = strings.TrimSuffix(strings.TrimSpace(selection), "}")
	for nested.MatchString(selection) {
		selection = nested.ReplaceAllString(selection, "")
	}
	alias := regexp.MustCompile(`\w+\s*:`)
	if g.is("fields by the names of answers") {
		alias = regexp.MustCompile(`:\s*\w+`)
	}
	return strings.Fields(alias.ReplaceAllString(selection, ""))
}

func anyOf(texts []string) []any {
	out := make([]any, len(texts))
	for i, s := range texts {
		out[i] = s
	}
	return out
}

// compareValue is compare for what may be no text.
func (g *reference) compareValue(op string, left, right any) bool {
	if n, ok := left.(float64); ok && g.is("values are text") {
		left = strconv.Itoa(int(n))
	}
	text, isText := left.(string)
	switch {
	case g.is("true is a text") && text == "true" && right == true:
		return true
	case left == nil || isText && op != "has":
		return g.compare(op, text, left != nil, right)
	case op == "==":
		return left == right
	case op == "has":
		list, _ := left.([]any)
		if isText && g.is("a text has what is in it") {
			return strings.Contains(text, right.(string))
		}
		return slices.Contains(list, right)
	case op == ">":
		n, ok := left.(float64)
		return ok && n > right.(float64) || left == true && g.is("true is a number")
	}
	return false
}
