package vars

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/exchange"
	"github.com/unilb/unilb/impl/vars/content"
)

// of is that of a request alone.
func of(r exchange.Request) *Request {
	v := Of(&exchange.Exchange{Request: r})
	return &v
}

func posted(contentType, body string) *Request {
	r := exchange.Request{Method: "POST", BodyLength: int64(len(body)), Body: exchange.Body{State: exchange.BodyWhole, Bytes: []byte(body)}}
	if contentType != "" {
		r.Fields = exchange.Fields{{Name: "Content-Type", Value: contentType}}
	}
	return of(r)
}

// shownValue is a variable in JSON; "-": absent.
func shownValue(t *testing.T, r *Request, name string) string {
	t.Helper()
	v, ok := r.Value(name)
	if !ok {
		return "-"
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const multipartBody = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b\r\nContent-Disposition: form-data; name=f; filename=x\r\n\r\n2\r\n--b--\r\n"

func TestVariablesAreFoundInTheBody(t *testing.T) {
	form := func() *Request {
		return posted("Application/X-WWW-Form-Urlencoded; charset=utf-8", "a=1&b.c=x+%26y&a=2&e=")
	}
	for _, c := range []struct {
		what string
		r    *Request
		want map[string]string
	}{
		{"a form", form(), map[string]string{
			"post_arg_a": `"1"`, "post_arg_b.c": `"x \u0026y"`, "post_arg_e": `""`, "post_arg_x": "-", "post_arg.a": `["1","2"]`, "post_arg.a[1]": `["2"]`,
			"post_arg.b.c": `"x \u0026y"`, "post_arg.e": `""`, "post_arg.x": "-", "graphql_name": "-",
		}},
		{"JSON", posted(" application/json ;charset=utf-8", `{"a":{"b":[1,true]},"x.y":1,"n":null}`), map[string]string{
			"post_arg.a.b": `[1,true]`, "post_arg.a.b[0]": `[1]`, "post_arg.x.y": "-", "post_arg.n": "-", "post_arg.a..b": `[[1,true]]`, "post_arg_a": "-", "graphql_name": "-",
		}},
		{"a JSON array", posted("application/json", `[{"a":1}]`), map[string]string{"post_arg.a": "-", "post_arg.[0].a": `[1]`, "graphql_name": "-"}},
		{"JSON that is none", posted("application/json", `{"a":1`), map[string]string{"post_arg.a": "-", "post_arg.a[*]": "-", "graphql_operation": "-"}},
		{"a multipart form", posted("multipart/form-data; boundary=b", multipartBody), map[string]string{"post_arg.a": `"1"`, "post_arg.f": "-", "post_arg_a": "-"}},
		{"a multipart form without boundary", posted("multipart/form-data", multipartBody), map[string]string{"post_arg.a": "-"}},
		{"another type", posted("text/plain", `{"a":1}`), map[string]string{"post_arg.a": "-", "post_arg_a": "-", "graphql_operation": "-"}},
		{"a type that begins so", posted("application/jsonx", `{"a":1}`), map[string]string{"post_arg.a": "-"}},
		{"no type", posted("", "a=1"), map[string]string{"post_arg.a": "-", "post_arg_a": "-"}},
		{"GraphQL", posted("application/graphql", "mutation M { pay ship }"), map[string]string{
			"graphql_name": `"M"`, "graphql_operation": `"mutation"`, "graphql_root_fields": `["pay","ship"]`, "graphql_x": "-", "post_arg.query": "-",
		}},
		{"GraphQL of no type", posted("", "{ a }"), map[string]string{"graphql_name": `""`, "graphql_operation": `"query"`}},
		{"GraphQL as curl sends it", posted(typeForm, "query { a }"), map[string]string{"graphql_operation": `"query"`}},
		{"GraphQL in JSON", posted("application/json", `{"query":"query Q { a }","operationName":"Q"}`), map[string]string{"graphql_name": `"Q"`, "graphql_root_fields": `["a"]`, "post_arg.operationName": `"Q"`}},
		{"GraphQL in JSON that is no text", posted("application/json", `{"query":{"a":1}}`), map[string]string{"graphql_name": "-"}},
		{"GraphQL of a GET", of(exchange.Request{Method: "GET", Query: "x=1&query=query+Q+%7B+a+%7D"}), map[string]string{"graphql_name": `"Q"`, "graphql_root_fields": `["a"]`, "arg_x": `"1"`}},
		{"a GET without", of(exchange.Request{Method: "GET", Query: "x=1"}), map[string]string{"graphql_name": "-", "post_arg.x": "-", "post_arg_x": "-"}},
	} {
		for name, want := range c.want {
			for range 2 { // what was read is kept
				if got := shownValue(t, c.r, name); got != want {
					t.Errorf("%s: %s is %s, want %s", c.what, name, got, want)
				}
			}
		}
		if c.r.NeedsBody() || c.r.Refused() != nil {
			t.Errorf("%s: asked %t, refused %v", c.what, c.r.NeedsBody(), c.r.Refused())
		}
	}
	r := posted("application/graphql", "{ a }")
	if r.x.Request.Method = "PUT"; shownValue(t, r, "graphql_name") != "-" {
		t.Error("a PUT has a GraphQL document")
	}
}

func TestUnreadBodyIsAskedForWhereItMayHaveTheVariable(t *testing.T) {
	for _, c := range []struct {
		name, contentType string
		want              bool
	}{
		{"post_arg_a", typeForm, true}, {"post_arg_a", typeJSON, false}, {"post_arg_a", typeMultipart, false}, {"post_arg_a", "", false},
		{"post_arg.a", typeForm, true}, {"post_arg.a", typeJSON, true}, {"post_arg.a", typeMultipart + "; boundary=b", true}, {"post_arg.a", "text/plain", false}, {"post_arg.a", "", false},
		{"graphql_name", "", true}, {"graphql_name", "application/graphql", true}, {"graphql_name", typeJSON, true},
		{"arg_a", typeForm, false}, {"http_content_type", typeForm, false},
	} {
		for _, length := range []int64{-1, 3, 0} {
			r := posted(c.contentType, "")
			r.x.Request.Body, r.x.Request.BodyLength = exchange.Body{}, length
			if _, ok := r.Value(c.name); ok && strings.HasPrefix(c.name, "post") {
				t.Errorf("%+v: there without a body", c)
			}
			if want := c.want && length != 0; r.NeedsBody() != want {
				t.Errorf("%+v, length %d: asked %t, want %t", c, length, r.NeedsBody(), want)
			}
		}
	}
	get := posted("application/graphql", "x")
	if get.x.Request.Method, get.x.Request.Body = "GET", (exchange.Body{}); shownValue(t, get, "graphql_name") != "-" || get.NeedsBody() {
		t.Error("the body of a GET is asked for")
	}
	for _, state := range []exchange.BodyState{exchange.BodyTooLong, exchange.BodyNoRoom} {
		part := posted(typeForm, "a=1")
		if part.x.Request.Body.State = state; shownValue(t, part, "post_arg_a") != "-" || part.NeedsBody() {
			t.Errorf("state %d: asked %t", state, part.NeedsBody())
		}
	}
}

// A body beyond the bounds may have what a condition looks for: that it is absent would be
// a guess.
func TestBodyBeyondTheBoundsIsRefused(t *testing.T) {
	deep := strings.Repeat("[", content.MaxDepth+1) + strings.Repeat("]", content.MaxDepth+1)
	many := strings.Repeat("a&", content.MaxFields)
	part := "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n"
	for _, c := range []struct {
		name string
		r    *Request
	}{
		{"post_arg.a", posted(typeJSON, deep)}, {"post_arg_a", posted(typeForm, many)}, {"post_arg.a", posted(typeForm, many)},
		{"post_arg.a", posted(typeMultipart+"; boundary=b", strings.Repeat(part, content.MaxFields+1)+"--b--")},
		{"graphql_name", posted("", "{"+strings.Repeat(" a", content.MaxTokens)+"}")}, {"graphql_name", posted(typeJSON, deep)},
		{"graphql_name", of(exchange.Request{Method: "GET", Query: "query={" + strings.Repeat("+a", content.MaxTokens) + "}"})},
		{"post_arg.x..*..*..*..*", posted(typeJSON, strings.Repeat(`{"x":`, 60)+"1"+strings.Repeat("}", 60))},
	} {
		if got := shownValue(t, c.r, c.name); got != "-" || !errors.Is(c.r.Refused(), content.ErrBounds) {
			t.Errorf("%s of %.30s: %s, refused %v", c.name, c.r.x.Request.Body.Bytes, got, c.r.Refused())
		}
	}
}

func TestBodyIsReadOnce(t *testing.T) {
	for name, r := range map[string]*Request{
		"post_arg_a": posted(typeForm, "a=1"), "post_arg.a": posted(typeJSON, `{"a":1}`), "graphql_name": posted("", "{ a }"),
	} {
		before := fmt.Sprint(r.Value(name))
		clear(r.x.Request.Body.Bytes)
		if after := fmt.Sprint(r.Value(name)); after != before {
			t.Errorf("%s: %s, then %s", name, before, after)
		}
	}
}

// Once the body is there nobody needs it any more, and once it is forgotten it has nothing.
func TestBodyIsNeededOnceAndForgotten(t *testing.T) {
	v := posted(typeForm, "a=1")
	body := &v.x.Request.Body
	whole := *body
	*body = exchange.Body{}
	if got := shownValue(t, v, "post_arg_a"); got != "-" || !v.NeedsBody() {
		t.Errorf("unread: %s, needed %t", got, v.NeedsBody())
	}
	*body = whole
	if got := shownValue(t, v, "post_arg_a"); got != `"1"` || v.NeedsBody() {
		t.Errorf("there: %s, needed %t", got, v.NeedsBody())
	}
	v.ForgetBody()
	if got := shownValue(t, v, "post_arg_a"); got != "-" || v.NeedsBody() || body.Bytes != nil {
		t.Errorf("forgotten: %s, needed %t, %d bytes", got, v.NeedsBody(), len(body.Bytes))
	}
}
