package expr

import "testing"

type known map[string]string

func (m known) Var(name string) (string, bool) { v, ok := m[name]; return v, ok }
func (m known) Value(name string) (any, bool)  { return m.Var(name) }

func TestFailingNamesThePartAndItsVariables(t *testing.T) {
	vars := known{"arg_a": "1", "http_user_agent": "curl"}
	for raw, want := range map[string]string{
		``:                     "",
		`[]`:                   "",
		`[["arg_a","==","1"]]`: "",
		`[["arg_a","==","1"],["arg_b","==","2"]]`:                         `["arg_b","==","2"] does not hold: arg_b is not there`,
		`["AND",["arg_a","==",2],["arg_b","==","2"]]`:                     `["arg_a","==",2] does not hold: arg_a is "1"`,
		`[["OR",["arg_a",">",2],["arg_b","==","2"],["arg_a","<",0]]]`:     `["OR",["arg_a",">",2],["arg_b","==","2"],["arg_a","<",0]] does not hold: arg_a is "1", arg_b is not there`,
		`[["http_user_agent","!","~~","^c"]]`:                             `["http_user_agent","!","~~","^c"] does not hold: http_user_agent is "curl"`,
		`[["!OR",["arg_a","==","1"],["arg_b","==","<"]]]`:                 `["!OR",["arg_a","==","1"],["arg_b","==","<"]] does not hold: arg_a is "1", arg_b is not there`,
		`[[["arg_a","==","1"],["AND",["arg_a","~~","9"],["arg_b","2"]]]]`: `["arg_a","~~","9"] does not hold: arg_a is "1"`,
	} {
		if got := Failing([]byte(raw), vars); got != want {
			t.Errorf("%s: got %s, want %s", raw, got, want)
		}
		e, _, err := compileText(raw)
		if err != nil {
			t.Fatal(err)
		}
		if e.Eval(vars) != (want == "") {
			t.Errorf("%s: Eval disagrees", raw)
		}
	}
}
