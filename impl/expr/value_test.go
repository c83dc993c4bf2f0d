package expr

import (
	"encoding/json"
	"strings"
	"testing"
)

// body are variables with values: those of a JSON object, by their whole names.
type body map[string]any

func (b body) Var(name string) (string, bool) { return "", false }
func (b body) Value(name string) (any, bool)  { v, ok := b[name]; return v, ok }

func bodyOf(t *testing.T, text string) body {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var b body
	if err := d.Decode(&b); err != nil {
		t.Fatal(err)
	}
	return b
}

const inBody = `{"post_arg.s":"Blue","post_arg.n":10,"post_arg.text_n":"10","post_arg.f":0.5,"post_arg.yes":true,"post_arg.no":false,
"post_arg.list":["a",1,true,null,["x"]],"post_arg.object":{"a":1},"post_arg.ip":"10.1.2.3","post_arg.huge":1e999,"post_arg.million":1e6,"post_arg.long":1e15,
"post_arg_s":"Red","graphql_name":"","graphql_operation":"query","graphql_root_fields":["owner","repo"]}`

func TestExpressionsOnValuesHold(t *testing.T) {
	request := bodyOf(t, inBody)
	for _, c := range []struct {
		rule string
		want bool
	}{
		{`[["post_arg.s","==","Blue"]]`, true}, {`[["post_arg.s","==","blue"]]`, false}, {`[["post_arg.s","Blue"]]`, false}, {`[["post_arg.s","~=","x"]]`, true},
		{`[["post_arg_s","==","Red"]]`, true}, {`[["post_arg_s","red"]]`, false}, {`[["post_arg_x","==",null]]`, true},

		{`[["post_arg.n","==",10]]`, true}, {`[["post_arg.n","==",10.0]]`, true}, {`[["post_arg.n","==",11]]`, false}, {`[["post_arg.n",10]]`, true},
		{`[["post_arg.n","==","10"]]`, false}, {`[["post_arg.text_n","==",10]]`, true}, {`[["post_arg.text_n","==","10"]]`, true},
		{`[["post_arg.n","~=",10]]`, false}, {`[["post_arg.n","~=",11]]`, true}, {`[["post_arg.n","~=","10"]]`, true}, {`[["post_arg.s","~=",10]]`, true},

		{`[["post_arg.yes","==",true]]`, true}, {`[["post_arg.yes","==",false]]`, false}, {`[["post_arg.no","==",false]]`, true}, {`[["post_arg.yes",true]]`, true},
		{`[["post_arg.yes","==","true"]]`, false}, {`[["post_arg.yes","==",1]]`, false}, {`[["post_arg.yes","~=",true]]`, false}, {`[["post_arg.yes","~=","true"]]`, true},
		{`[["post_arg.s","==",true]]`, false},

		{`[["post_arg.none","==",null]]`, true}, {`[["post_arg.none","~=",null]]`, false}, {`[["post_arg.no","==",null]]`, false}, {`[["post_arg.list","~=",null]]`, true},
		{`[["post_arg.none","~=","x"]]`, true}, {`[["post_arg.none","==",""]]`, false}, {`[["post_arg.none","==",0]]`, false},

		{`[["post_arg.n",">",9]]`, true}, {`[["post_arg.n",">",10]]`, false}, {`[["post_arg.n",">=","10"]]`, true}, {`[["post_arg.f","<",1]]`, true}, {`[["post_arg.f","<=",0.4]]`, false},
		{`[["post_arg.text_n",">",9]]`, true}, {`[["post_arg.yes",">",0]]`, false}, {`[["post_arg.list",">",0]]`, false}, {`[["post_arg.none","<",1]]`, false}, {`[["post_arg.huge","==",10]]`, false},

		{`[["post_arg.s","~~","^B"]]`, true}, {`[["post_arg.s","~*","^b"]]`, true}, {`[["post_arg.n","~~","^1.$"]]`, true}, {`[["post_arg.f","~~","^0\\.5$"]]`, true}, {`[["post_arg.yes","~~","^true$"]]`, true},
		{`[["post_arg.million","~~","^1000000$"]]`, true}, {`[["post_arg.long","~~","^1e\\+15$"]]`, true},
		{`[["post_arg.list","~~","."]]`, false}, {`[["post_arg.object","~~","."]]`, false}, {`[["post_arg.none","~~",".*"]]`, false},

		{`[["post_arg.s","in",["Red","Blue"]]]`, true}, {`[["post_arg.n","in",["10"]]]`, false}, {`[["post_arg.n","in",[1,10]]]`, true}, {`[["post_arg.text_n","in",[10]]]`, false},
		{`[["post_arg.yes","in",[true]]]`, true}, {`[["post_arg.yes","in",["true"]]]`, false}, {`[["post_arg.n","in",10]]`, false}, {`[["post_arg.none","in",[null]]]`, false},
		{`[["post_arg.list","in",[["a"]]]]`, false},

		{`[["post_arg.list","has","a"]]`, true}, {`[["post_arg.list","has",1]]`, true}, {`[["post_arg.list","has","1"]]`, false}, {`[["post_arg.list","has",true]]`, true},
		{`[["post_arg.list","has","b"]]`, false}, {`[["post_arg.list","has",["x"]]]`, false}, {`[["post_arg.s","has","Blue"]]`, false}, {`[["post_arg.object","has",1]]`, false}, {`[["post_arg.none","has","a"]]`, false},
		{`[["post_arg.list","!","has","b"]]`, true}, {`[["post_arg.list","HAS","a"]]`, true},

		{`[["post_arg.list","==",["a",1,true,null,["x"]]]]`, false}, {`[["post_arg.list","~=",["a"]]]`, true}, {`[["post_arg.object","==",{"a":1}]]`, false},
		{`[["post_arg.ip","ipmatch","10.0.0.0/8"]]`, true}, {`[["post_arg.n","ipmatch","10.0.0.0/8"]]`, false}, {`[["post_arg.none","ipmatch","10.0.0.0/8"]]`, false},

		{`[["graphql_name","==",""]]`, true}, {`[["graphql_operation","query"]]`, true}, {`[["graphql_root_fields","has","repo"]]`, true}, {`[["graphql_root_fields","has","rep"]]`, false},
		{`["OR",["post_arg.n","==",1],["post_arg.s","==","Blue"]]`, true}, {`["!OR",["post_arg.n","==",10],["post_arg.s","==","x"]]`, false},
	} {
		e, err := compileWhole(c.rule)
		if err != nil {
			t.Errorf("compileWhole(%s): %v", c.rule, err)
			continue
		}
		if got := e.Eval(request); got != c.want {
			t.Errorf("%s = %v, want %v", c.rule, got, c.want)
		}
	}
}

// On text the two compilers of an operator agree, whatever the variable is called.
func TestValuesThatAreTextAreComparedAsText(t *testing.T) {
	for _, op := range []string{"==", "~=", ">", ">=", "<", "<=", "~~", "~*", "in", "ipmatch"} {
		for _, right := range []string{`"Blue"`, `"10"`, `10`, `true`, `null`, `["Blue","10"]`, `[10]`, `"10.0.0.1"`, `["10.0.0.1"]`} {
			for _, left := range []vars{{}, {"arg_x": "Blue"}, {"arg_x": "10"}, {"arg_x": ""}, {"arg_x": "10.0.0.1"}} {
				rule := `[["arg_x","` + op + `",` + right + `]]`
				plain, err := compileWhole(rule)
				other, otherErr := compileWhole(strings.Replace(rule, "arg_x", "post_arg.x", 1))
				if (err == nil) != (otherErr == nil) || err != nil && err.Error() != otherErr.Error() {
					t.Fatalf("%s: %v, on a value %v", rule, err, otherErr)
				}
				if err != nil {
					continue
				}
				value := body{}
				if s, ok := left["arg_x"]; ok {
					value["post_arg.x"] = s
				}
				if got, want := other.Eval(value), plain.Eval(left); got != want {
					t.Errorf("%s with %v: %t on a value, %t on text", rule, left, got, want)
				}
			}
		}
	}
}

func TestFailingShowsValues(t *testing.T) {
	request := bodyOf(t, inBody)
	request["post_arg.long"] = []any{strings.Repeat("x", 5000)}
	for raw, want := range map[string]string{
		`[["post_arg.n",">",10]]`:           `["post_arg.n",">",10] does not hold: post_arg.n is 10`,
		`[["post_arg.object","==","x"]]`:    `["post_arg.object","==","x"] does not hold: post_arg.object is {"a":1}`,
		`[["post_arg.s","==","x"]]`:         `["post_arg.s","==","x"] does not hold: post_arg.s is "Blue"`,
		`[["post_arg.none","==","x"]]`:      `["post_arg.none","==","x"] does not hold: post_arg.none is not there`,
		`[["post_arg.long","has","x"]]`:     `["post_arg.long","has","x"] does not hold: post_arg.long is ["` + strings.Repeat("x", 1022) + "…",
		`[["graphql_root_fields","x","y"]]`: "invalid operator 'x'",
	} {
		if got := Failing([]byte(raw), request); got != want {
			t.Errorf("%s: got %s, want %s", raw, got, want)
		}
	}
}
