package content

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// unescape is good enough for tests.
func unescape(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

func TestFormHasItsFieldsDecodedAndInOrder(t *testing.T) {
	f, err := ParseForm([]byte("a=1&b+c=x%26y&a=2&&flag&e="), unescape)
	if err != nil {
		t.Fatal(err)
	}
	want := Form{"a": {"1", "2"}, "b c": {"x&y"}, "flag": {""}, "e": {""}}
	if fmt.Sprint(f) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", f, want)
	}
	if v, ok := f.First("a"); v != "1" || !ok {
		t.Errorf("first a: %q, %t", v, ok)
	}
	if _, ok := f.First("b"); ok {
		t.Error("b is there")
	}
	if got := fmt.Sprint(f.Tree()); got != "map[a:[1 2] b c:x&y e: flag:]" {
		t.Errorf("tree %s", got)
	}
}

const multi = "multipart/form-data; boundary=xx"

func parts(each ...string) []byte {
	var b strings.Builder
	for _, p := range each {
		b.WriteString("--xx\r\nContent-Disposition: form-data; " + p + "\r\n")
	}
	return []byte(b.String() + "--xx--\r\n")
}

func TestMultipartHasItsFieldsAndNoFiles(t *testing.T) {
	body := parts("name=a\r\n\r\n1", `name="b c"`+"\r\nContent-Type: text/plain\r\n\r\nx\r\ny", "name=a\r\n\r\n2", `name=f; filename="a.txt"`+"\r\n\r\nsecret", "x=y\r\n\r\nnameless")
	f, err := ParseMultipart(body, multi)
	if want := (Form{"a": {"1", "2"}, "b c": {"x\r\ny"}}); err != nil || fmt.Sprint(f) != fmt.Sprint(want) {
		t.Errorf("got %v, %v, want %v", f, err, want)
	}
	for _, c := range []struct{ body, contentType string }{
		{string(body), "multipart/form-data"}, {string(body), "multipart/form-data; boundary"}, {string(body), "multipart/form-data; boundary=" + strings.Repeat("x", 10) + "; ;"},
		{"--xx\r\nno field\r\n\r\n1\r\n--xx--", multi},
	} {
		if f, err := ParseMultipart([]byte(c.body), c.contentType); err == nil || errors.Is(err, ErrBounds) {
			t.Errorf("%s: %.40q: %v, %v", c.contentType, c.body, f, err)
		}
	}
}

const tree = `{"s":"x","n":7,"t":true,"z":null,"a":{"b":{"c":"deep"},"x y":1,"list":[1,"two",[3]]},
"msgs":[{"role":"user","parts":[{"type":"text"},{"type":"image"}]},{"role":"system"},{"parts":[]}],"a.b":"dotted"}`

func TestPathLeadsToValues(t *testing.T) {
	v, err := ParseJSON([]byte(tree))
	if err != nil {
		t.Fatal(err)
	}
	const nothing = ""
	for path, want := range map[string]string{
		"s": `"x"`, "n": `7`, "t": `true`, "z": nothing, "none": nothing, "": nothing, "a.b": `{"c":"deep"}`, "a.b.c": `"deep"`, "a.b.c.d": nothing,
		"a.list": `[1,"two",[3]]`, "a.list.0": nothing, "a.": nothing, ".a": nothing, "s.x": nothing, "a.x y": `1`,
		"a.list[0]": `[1]`, "a.list[-1]": `[[3]]`, "a.list[3]": nothing, "a.list[-4]": nothing, "a.list[2][0]": `[3]`, "a.list[*]": `[1,"two",[3]]`,
		"msgs[*].role": `["user","system"]`, "msgs[0].role": `["user"]`, "msgs[*].parts[*].type": `["text","image"]`, "msgs[2].parts[*]": nothing,
		"msgs..type": `["text","image"]`, ".type": nothing, "*": `[{"b":{"c":"deep"},"list":[1,"two",[3]],"x y":1},"dotted",[{"parts":[{"type":"text"},{"type":"image"}],"role":"user"},{"role":"system"},{"parts":[]}],7,"x",true,null]`,
		"a['x y']": `[1]`, `a["list"][1]`: `["two"]`, "['a.b']": `["dotted"]`, "a[b]": nothing, "a.list[b]": nothing, "a[": nothing, "a[0": nothing, "a[]": nothing, "a['x": nothing,
		"a.b.*": `["deep"]`, "a..c": `["deep"]`, "a..*": `[{"c":"deep"},"deep",[1,"two",[3]],1,"two",[3],3,1]`, "a...c": nothing, "s[0]": nothing, "s[*]": nothing, "a[*]x": nothing,
		"a.list..[0]": `[1,3]`, "..c": nothing,
	} {
		got, ok, err := Find(v, path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		text := nothing
		if ok {
			b, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			text = string(b)
		}
		if text != want {
			t.Errorf("%s: got %s, want %s", path, text, want)
		}
	}
	if got, ok, _ := Find(v, ".role"); ok { // behind "post_arg." this is "$..role"
		t.Errorf("names alone make no query: %v", got)
	}
}

func TestJSONIsOneValue(t *testing.T) {
	for _, text := range []string{"", "{", `{"a":1}x`, `{"a":1} {}`, "{'a':1}", "nul", "[1,]", "\xef\xbb\xbf{}"} {
		if v, err := ParseJSON([]byte(text)); err == nil || errors.Is(err, ErrBounds) {
			t.Errorf("%q: %v, %v", text, v, err)
		}
	}
	v, err := ParseJSON([]byte(` {"a":1,"a":2, "huge": 1e999, "q": "\"` + strings.Repeat("[", MaxDepth) + `\\"}` + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got, _, _ := Find(v, "a"); got != json.Number("2") {
		t.Errorf("a is %v, want the last", got)
	}
}

func TestGraphQLTellsTheFirstOperation(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"{ a b }", "query  [a b]"},
		{"query Q($x: Int = 1) @d { alias: a(id: $x) { b } c }", "query Q [a c]"},
		{"# a comment\nmutation M { pay { ok } }", "mutation M [pay]"},
		{"subscription { s }", "subscription  [s]"},
		{"query A { a } mutation B { b }", "query A [a]"},
		{"fragment F on Query { hidden ...G } fragment G on Query { more ...F } query { a ...F ...F ... on Query { inline } ...none }", "query  [a hidden more inline]"},
	} {
		op, err := ParseGraphQL(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := fmt.Sprintf("%s %s %v", op.Kind, op.Name, op.RootFields); got != c.want {
			t.Errorf("%s: got %q, want %q", c.text, got, c.want)
		}
	}
	for _, text := range []string{"", "fragment F on Q { a }", "type T { a: Int }", "{ a", "{}", "query", `{"query":"{a}"}`} {
		if op, err := ParseGraphQL(text); err == nil || errors.Is(err, ErrBounds) {
			t.Errorf("%q: %v, %v", text, op, err)
		}
	}
}

// What a stranger can make large ends with ErrBounds, one less does not.
func TestBoundsAreKept(t *testing.T) {
	nested := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	many := func(one string, n int) []byte { return []byte("[" + strings.Repeat(one+",", n-1) + one + "]") }
	field := "name=a\r\n\r\n1"
	for _, c := range []struct {
		what string
		fits func() error
		not  func() error
	}{
		{"fields",
			func() error { _, err := ParseForm([]byte(strings.Repeat("a&", MaxFields-1)), unescape); return err },
			func() error { _, err := ParseForm([]byte(strings.Repeat("a&", MaxFields)), unescape); return err }},
		{"parts",
			func() error {
				_, err := ParseMultipart(parts(slices.Repeat([]string{field}, MaxFields)...), multi)
				return err
			},
			func() error {
				_, err := ParseMultipart(parts(slices.Repeat([]string{field}, MaxFields+1)...), multi)
				return err
			}},
		{"head of a part",
			func() error { _, err := ParseMultipart(parts(strings.Repeat("a=b; ", 100)+field), multi); return err },
			func() error {
				_, err := ParseMultipart(parts("a=b\r\n"+strings.Repeat("a: b\r\n", 20_000)+field), multi)
				return err
			}},
		{"depth",
			func() error { _, err := ParseJSON(nested(MaxDepth)); return err },
			func() error { _, err := ParseJSON(nested(MaxDepth + 1)); return err }},
		{"values",
			func() error { _, err := ParseJSON(many(`"a,[{"`, MaxValues)); return err },
			func() error { _, err := ParseJSON(many(`{}`, MaxValues/2+1)); return err }},
		{"steps",
			func() error { return follow(t, 16, "..*..*") },
			func() error { return follow(t, 60, "..*..*..*..*") }},
		{"bytes of a document",
			func() error { _, err := ParseGraphQL("{a}" + strings.Repeat(" ", MaxDocument-3)); return err },
			func() error { _, err := ParseGraphQL("{a}" + strings.Repeat(" ", MaxDocument-2)); return err }},
		{"tokens",
			func() error { _, err := ParseGraphQL("{" + strings.Repeat(" a", MaxTokens-2) + "}"); return err },
			func() error { _, err := ParseGraphQL("{" + strings.Repeat(" a", MaxTokens) + "}"); return err }},
		{"depth of a document",
			func() error { _, err := ParseGraphQL(strings.Repeat("{a", 900) + strings.Repeat("}", 900)); return err },
			func() error {
				_, err := ParseGraphQL(strings.Repeat("{a", 1100) + strings.Repeat("}", 1100))
				return err
			}},
	} {
		if err := c.fits(); err != nil {
			t.Errorf("%s: what fits: %v", c.what, err)
		}
		if err := c.not(); !errors.Is(err, ErrBounds) {
			t.Errorf("%s: what does not: %v, want %v", c.what, err, ErrBounds)
		}
	}
}

func follow(t *testing.T, deep int, path string) error {
	t.Helper()
	v, err := ParseJSON([]byte(strings.Repeat(`{"x":`, deep) + "1" + strings.Repeat("}", deep)))
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = Find(v, "x"+path)
	return err
}

// FuzzContent: whatever comes, nothing crashes, and what a form says as a form it says as
// a tree.
func FuzzContent(f *testing.F) {
	f.Add([]byte(tree), "msgs[*].parts[*].type")
	f.Add([]byte("a=1&b=%20&a=2"), "a")
	f.Add(parts("name=a\r\n\r\n1"), "..a[-1]['x']")
	f.Add([]byte("query Q { a ...F } fragment F on X { b }"), "*..*")
	f.Fuzz(func(t *testing.T, body []byte, path string) {
		if v, err := ParseJSON(body); err == nil {
			if !json.Valid(body) {
				t.Errorf("%q is no JSON", body)
			}
			if found, ok, err := Find(v, path); err == nil && ok && found == nil {
				t.Errorf("%s leads to null", path)
			}
		}
		if form, err := ParseForm(body, unescape); err == nil {
			for name, all := range form {
				if first, ok := form.First(name); !ok || first != all[0] {
					t.Errorf("first %q of %q", first, all)
				}
				found, ok, err := Find(form.Tree(), "['"+name+"']")
				if strings.Contains(name, "']") {
					continue
				}
				if list, _ := found.([]any); err != nil || !ok || len(list) != 1 {
					t.Errorf("%q: %v, %t, %v", name, found, ok, err)
				}
			}
		}
		_, _ = ParseMultipart(body, multi)
		if op, err := ParseGraphQL(string(body)); err == nil && op.Kind == "" {
			t.Errorf("%q has no kind", body)
		}
	})
}
