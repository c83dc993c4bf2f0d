package explain

import (
	"strings"
	"testing"
)

const formType = "Content-Type: application/x-www-form-urlencoded"

func TestAnswerSeesTheBodyOfAQuestion(t *testing.T) {
	s := source(t,
		"upstreams/u", up,
		"routes/two", `{"uri":"/x","priority":1,"vars":[["post_arg_v","==","2"]],"upstream_id":"u"}`,
		"routes/all", `{"uri":"/*","upstream_id":"u"}`,
	)
	const (
		refused = `vars: ["post_arg_v","==","2"] does not hold: `
		note    = "a condition needs the body of the request, which the question does not have: with one, another route may match"
	)
	for _, c := range []struct {
		what       string
		form       Form
		route      string
		why, notes string
	}{
		{"a body that fits", Form{URL: "http://a/x", Headers: []string{formType}, Body: []byte("v=2")}, "two", "", ""},
		{"a body that does not", Form{URL: "http://a/x", Headers: []string{formType}, Body: []byte("v=3")}, "all", refused + `post_arg_v is "3"`, ""},
		{"an empty body", Form{URL: "http://a/x", Headers: []string{formType}, Body: []byte{}}, "all", refused + "post_arg_v is not there", ""},
		{"no body was said", Form{Method: "POST", URL: "http://a/x", Headers: []string{formType}}, "all", refused + "post_arg_v is not there (the question has no body)", note},
		{"its length was", Form{Method: "POST", URL: "http://a/x", Headers: []string{formType, "Content-Length: 3"}}, "all", refused + "post_arg_v is not there (the question has no body)", note},
		{"of another type", Form{Method: "POST", URL: "http://a/x", Headers: []string{"Content-Type: text/plain"}}, "all", refused + "post_arg_v is not there", ""},
		{"no route of the path asks", Form{Method: "POST", URL: "http://a/y", Headers: []string{formType}}, "all", "", ""},
		{"behind a whole head", Form{Head: []byte("POST /x HTTP/1.1\r\nHost: a\r\n" + formType + "\r\n\r\nv=2")}, "two", "", ""},
		{"behind one without carriage returns", Form{Head: []byte("POST /x HTTP/1.1\nHost: a\n" + formType + "\n\nv=2")}, "two", "", ""},
		{"behind one, with carriage returns of its own", Form{Head: []byte("POST /x HTTP/1.1\nHost: a\n" + formType + "\n\na=\r\n\r\n&v=2")}, "two", "", ""},
		{"beside one", Form{Head: []byte("POST /x HTTP/1.1\nHost: a\n" + formType + "\n\n\n"), Body: []byte("v=2")}, "two", "", ""},
		{"nothing behind one", Form{Head: []byte("POST /x HTTP/1.1\nHost: a\n" + formType + "\n\n\n")}, "all", refused + "post_arg_v is not there (the question has no body)", note},
	} {
		for _, f := range []*Form{&c.form, FormOf(c.form.Values())} { // as it is, and through a query
			f.Head = c.form.Head // never in a query
			a := ask(t, s, *f)
			if a.Route == nil || a.Route.Key != "/apisix/routes/"+c.route {
				t.Errorf("%s: got %+v, want %s", c.what, a.Route, c.route)
			}
			if a.Request.Method != "POST" {
				t.Errorf("%s: method %s", c.what, a.Request.Method)
			}
			why := ""
			if len(a.Refused) > 0 {
				why = a.Refused[0].Why
			}
			if notes := strings.Join(a.Notes, "; "); why != c.why || notes != c.notes {
				t.Errorf("%s: got %q, notes %q", c.what, why, notes)
			}
		}
	}
}

func TestAnswerToABodyThatIsReadNoFurther(t *testing.T) {
	s := source(t, "upstreams/u", up, "routes/two", `{"uri":"/x","vars":[["post_arg.v","==","2"]],"upstream_id":"u"}`)
	a := ask(t, s, Form{URL: "http://a/x", Headers: []string{"Content-Type: application/json"}, Body: []byte(strings.Repeat("[", 100))})
	if a.Generated == nil || a.Generated.Status != 413 || !strings.HasSuffix(a.Outcome, "JSON nested deeper than 64") {
		t.Errorf("got %+v, %s", a.Generated, a.Outcome)
	}
}

// That the question has no body is said of routes for which it counts alone.
func TestAnswerNamesTheRoutesThatNeedABody(t *testing.T) {
	s := source(t,
		"upstreams/u", up,
		"routes/first", `{"uri":"/x","priority":2,"vars":[["post_arg_v","==","2"]],"upstream_id":"u"}`,
		"routes/second", `{"uri":"/x","priority":1,"vars":[["arg_a","==","1"]],"upstream_id":"u"}`,
		"routes/third", `{"uri":"/*","vars":[["post_arg_v","==","2"]],"upstream_id":"u"}`,
	)
	a := ask(t, s, Form{Method: "POST", URL: "http://a/x", Headers: []string{formType}})
	if len(a.Refused) != 3 {
		t.Fatalf("refused: %+v", a.Refused)
	}
	for i, needs := range []bool{true, false, true} {
		if why := a.Refused[i].Why; strings.HasSuffix(why, "(the question has no body)") != needs {
			t.Errorf("%s: %q; needs the body: %t", a.Refused[i].Key, why, needs)
		}
	}
}
