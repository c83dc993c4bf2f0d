package jsontree_test

import (
	"encoding/json"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/apisix/jsontree"
)

var texts = []string{
	`{"uri":"/a","n":[1,-2.5,1e9,0,10],"t":true,"f":false,"z":null,"o":{"k":{}},"l":[],"s":""}`, ` [ 1 , "x" ] `, `{"u":"\/a\u002f\\\/","l":["\ud83d",{"\u0061":"\u0001<"}]}`, `"é"`, `"\u00e9\ud83d\ude00\ud83d\n"`, "\"\xff\"", "\"a\nb\"",
	`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `01`, `-`, `-0`, `1.`, `1.e1`, `1e`, `1e+5`, `.5`, `tru`, `nullx`, `{"a"}`, `{"a":}`, `{,}`, `[1,]`, `[`, `"`, `"\`, `"\x"`, ``, `{}{}`, `1 2`, strings.Repeat("[", 300) + strings.Repeat("]", 300),
	`{"a":"b\"}","c":[{"d":"]"}],"e" : -1 ,"f":true}`, `{"a":{"b":1},"a":[2]}`, `{ "z" : 1 , "<é\n" : [ 1 , "a b\" " , { } ] , "b" : { "c" : "\u2028" } }`, `{" ":1,"z":1,"z":2}`, `{}`,
}

// plain is what encoding/json makes of a text; ok is false when it is not one value.
func plain(text string) (v any, ok bool) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil, false
	}
	_, err := d.Token()
	return v, err == io.EOF
}

func compare(t *testing.T, text string) {
	t.Helper()
	want, valid := plain(text)
	if words := jsontree.Complaint(text); valid && words != "" && !jsontree.Doubtful(text) {
		t.Errorf("%q: %s, but it is JSON", text, words)
	}
	got, read, ok := jsontree.Decode(text)
	if ok && (!valid || !reflect.DeepEqual(got, want)) {
		t.Errorf("%q: got %#v, want %#v (valid %v)", text, got, want, valid)
	}
	if valid {
		comparePrinted(t, want)
	}
	var members map[string]json.RawMessage
	if !valid || json.Unmarshal([]byte(text), &members) != nil || members == nil {
		return
	}
	found := map[string]string{}
	for name, value := range jsontree.Members(text) {
		found[name] = value
	}
	for name, value := range members {
		if got := jsontree.Find(text, name); got != string(value) || found[name] != got {
			t.Errorf("%q: member %q is %q, among all %q, want %q", text, name, got, found[name], value)
		}
	}
	var all []jsontree.Member
	for name, value := range jsontree.Members(text) {
		all = append(all, jsontree.Member{Name: name, Text: value})
	}
	if ok && !slices.Equal(read, all) {
		t.Errorf("%q: the members are read as %q, want %q", text, read, all)
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(members); err != nil {
		t.Fatal(err)
	}
	printed, straight := print(text), strings.TrimSuffix(b.String(), "\n")
	if again := print(printed); again != printed {
		t.Errorf("%q is printed %q, and that %q", text, printed, again)
	}
	if strings.Contains(straight, `\u`) || strings.Contains(straight, `\/`) {
		got, _ := plain(printed)
		if want, _ := plain(straight); !reflect.DeepEqual(got, want) {
			t.Errorf("%q is printed %q, which is %#v, want %#v", text, printed, got, want)
		}
	} else if printed != straight {
		t.Errorf("%q is printed %q, want %q", text, printed, straight)
	}
	if len(found) != len(members) {
		t.Errorf("%q: %d members, want %d", text, len(found), len(members))
	}
}

// print prints the members of an object.
func print(object string) string {
	var all []jsontree.Member
	for name, value := range jsontree.Members(object) {
		all = append(all, jsontree.Member{Name: name, Text: value})
	}
	return string(jsontree.AppendObject(nil, all))
}

// comparePrinted prints a tree as encoding/json does.
func comparePrinted(t *testing.T, tree any) {
	t.Helper()
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(tree)
	if got, ok := jsontree.Append(nil, tree); ok != (err == nil) || ok && string(got)+"\n" != b.String() {
		t.Errorf("%#v is printed %q (%v), want %q, %v", tree, got, ok, b.String(), err)
	}
}

func TestTreesThatAreNotOfATextAreLeftToEncodingJSON(t *testing.T) {
	for _, tree := range []any{1, []string{"a"}, map[string]any{"a": []any{json.Number("1"), 1.5}}, []any(nil), map[string]any(nil), json.Number("1x"), json.RawMessage("1")} {
		if got, ok := jsontree.Append(nil, tree); ok {
			t.Errorf("%#v is printed %q", tree, got)
		}
	}
	for _, n := range []json.Number{"", "-", "-0", "00", "-01", "1e5", "12345678901234567890", "-7"} {
		comparePrinted(t, n)
	}
}

func TestItReadsWhatEncodingJSONReads(t *testing.T) {
	for _, text := range texts {
		compare(t, text)
	}
}

func TestItReadsOrdinaryTextsItself(t *testing.T) {
	for _, text := range texts[:4] {
		if _, _, ok := jsontree.Decode(text); !ok {
			t.Errorf("%q: left to encoding/json", text)
		}
	}
}

func TestTextsArePrintedWithoutEscapesThatTheyDoNotNeed(t *testing.T) {
	const text = `{"u":"\/a\u002f\\\/","l":[ "\u00e9\ud83d\ude00" , {"\u0061":"\n\u0001\\u0061\""} ],"n":"\\/"}`
	const want = `{"l":["é😀",{"a":"\n\u0001\\u0061\""}],"n":"\\/","u":"/a/\\/"}`
	if got := print(text); got != want {
		t.Errorf("%s is printed\n%s, want\n%s", text, got, want)
	}
}

func TestComplaintsAreThoseOfAPISIXsDecoder(t *testing.T) {
	for text, want := range map[string]string{
		``:                                     `Expected value but found T_END at character 1`,
		`  `:                                   `Expected value but found T_END at character 3`,
		`{`:                                    `Expected object key string but found T_END at character 2`,
		`{"uri":`:                              `Expected value but found T_END at character 8`,
		`{"uri":}`:                             `Expected value but found T_OBJ_END at character 8`,
		`{"uri":"/a"`:                          `Expected comma or object end but found T_END at character 12`,
		`{"uri":"/a",}`:                        `Expected object key string but found T_OBJ_END at character 13`,
		`{"uri" "/a"}`:                         `Expected colon but found T_STRING at character 8`,
		`{"uri":"/a}`:                          `Expected value but found unexpected end of string at character 12`,
		`{'uri':'/a'}`:                         `Expected object key string but found invalid token at character 2`,
		`{1:2}`:                                `Expected object key string but found T_NUMBER at character 2`,
		`{"a":1 "b":2}`:                        `Expected comma or object end but found T_STRING at character 8`,
		`["/a"`:                                `Expected comma or array end but found T_END at character 6`,
		`[1,]`:                                 `Expected value but found T_ARR_END at character 4`,
		`[1:2]`:                                `Expected comma or array end but found T_COLON at character 3`,
		`not json`:                             `Expected value but found invalid token at character 1`,
		`nul`:                                  `Expected value but found invalid token at character 1`,
		`{}  x`:                                `Expected the end but found invalid token at character 5`,
		`{}{}`:                                 `Expected the end but found T_OBJ_BEGIN at character 3`,
		`true false`:                           `Expected the end but found T_BOOLEAN at character 6`,
		`[null null]`:                          `Expected comma or array end but found T_NULL at character 7`,
		`[,]`:                                  `Expected value but found T_COMMA at character 2`,
		`[[`:                                   `Expected value but found T_END at character 3`,
		`["\x"]`:                               `Expected value but found invalid escape code at character 3`,
		`["a\u00g0"]`:                          `Expected value but found invalid unicode escape code at character 4`,
		`[-]`:                                  `Expected value but found invalid number at character 2`,
		`[+a]`:                                 `Expected value but found invalid number at character 2`,
		`[.]`:                                  `Expected value but found invalid token at character 2`,
		"[\x00]":                               `Expected value but found T_END at character 2`,
		`[01,+1,1.,0x1F,NaN,-Infinity,1e,.5]`:  `Expected comma or array end but found invalid token at character 31`,
		`["a\ud83d"]`:                          `Expected value but found invalid unicode escape code at character 4`,
		`["\ud83d\u0041"]`:                     `Expected value but found invalid unicode escape code at character 3`,
		`["\ud83d\ud83d"]`:                     `Expected value but found invalid unicode escape code at character 3`,
		`["\ud83d\n"]`:                         `Expected value but found invalid unicode escape code at character 3`,
		`["\u00e9\ude00"]`:                     `Expected value but found invalid unicode escape code at character 9`,
		`{"\udBFF":1}`:                         `Expected object key string but found invalid unicode escape code at character 3`,
		`["\ud83d\ude00\uD83D\uDE00\\ud83d"]`:  ``,
		`[1,-1e309]`:                           `Expected value but found invalid number at character 4`,
		`{"a":1e400}`:                          `Expected value but found invalid number at character 6`,
		`{"a":1E+400}`:                         `Expected value but found invalid number at character 6`,
		`[` + strings.Repeat("9", 310) + `.5]`: `Expected value but found invalid number at character 2`,
		`[` + strings.Repeat("9", 199) + `]`:   ``,
		`[1e308,1e-999,-1e+308,0e999]`:         ``,
		deep(1001, "["):                        `Found too many nested data structures (1001) at character 1001`,
		` {"a":` + deep(1000, "[") + `}`:       `Found too many nested data structures (1001) at character 1006`,
		deep(1000, "["):                        ``,
		deep(1000, `{"":`):                     ``,
		`[01,+1,1.,0x1F,NaN,-Infinity]`:        ``,
		"[\"a\nb\"]":                           ``,
	} {
		if got := jsontree.Complaint(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		if want != "" && json.Valid([]byte(text)) && !jsontree.Doubtful(text) {
			t.Errorf("%q: nobody would ask the decoder", text)
		}
	}
	for _, text := range []string{`{"a":"\u00e9\\ud83d","b":[1]}`, strings.Repeat("[],", 2000), `[true,false,1e30,-1.5E-10,"1e400",` + strings.Repeat("12,", 200) + `"` + strings.Repeat("1", 400) + `"]`, `"` + deep(1001, "[") + `"`} {
		if jsontree.Doubtful(text) {
			t.Errorf("%q: the decoder would be asked for nothing", text)
		}
	}
}

// deep is a value n levels deep, each of which begins alike.
func deep(n int, begin string) string {
	inner, ends := "", "]"
	if begin != "[" {
		n, inner, ends = n-1, "{}", "}"
	}
	return strings.Repeat(begin, n) + inner + strings.Repeat(ends, n)
}

func TestControlCharactersMayStandBareInStringsAlone(t *testing.T) {
	for text, want := range map[string]string{
		"{\"a\":\"x\n\ty\"}":           `{"a":"x\n\ty"}`,
		"{\n\"a\":\"\\\"\n\"}\n":       "{\n\"a\":\"\\\"\\n\"}\n",
		"{\"a\":\"\\\\\"\n,\"b\n\":1}": "{\"a\":\"\\\\\"\n,\"b\\n\":1}",
		"{\"a\":\"\x00\"}":             "{\"a\":\"\x00\"}",
		"\"\\":                         "\"\\",
		"[\"\x01abcdefg\"]":            `["\u0001abcdefg"]`,
		"[\"\x01\x02\x03\x04\x05\"]":   "[\"\x01\x02\x03\x04\x05\"]", // more than twice as long
		"":                             "",
	} {
		if got := string(jsontree.EscapeBare([]byte(text))); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(compare)
}

// Of maps that were given back nothing is found in those that come after.
func TestReleasedMapsAreEmpty(t *testing.T) {
	large := `{"a":{"b":{"c":1}},"l":[{"kept":1}]`
	for i := range 20 {
		large += `,"m` + strings.Repeat("x", i) + `":{"n":` + strings.Repeat("1", i+1) + `}`
	}
	large += `}`
	for round := range 50 {
		for _, text := range append([]string{large}, texts...) {
			got, members, ok := jsontree.Decode(text)
			want, _ := plain(text)
			if ok && !reflect.DeepEqual(got, want) {
				t.Fatalf("round %d: %q is read as %#v", round, text, got)
			}
			tree, isObject := got.(map[string]any)
			if !ok || !isObject {
				continue
			}
			var kept map[string]any
			if list, _ := tree["l"].([]any); len(list) > 0 {
				kept, _ = list[0].(map[string]any)
			}
			jsontree.Release(tree, members)
			if len(tree) > 0 && len(tree) < 60 {
				t.Fatalf("%q: %d members are left", text, len(tree))
			}
			if text == large && len(kept) != 1 {
				t.Fatal("what is in a list was given back")
			}
			for _, m := range members {
				if m != (jsontree.Member{}) && len(members) < 60 {
					t.Fatalf("%q: member %q is left", text, m.Name)
				}
			}
		}
	}
}
