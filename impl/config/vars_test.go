package config

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/expr"
)

// TestConditionsThatTheAdminAPIStoresAreInForce: the check of objects and the compiler
// are two readings of one grammar. What the first accepts the second must run, and
// what the second refuses the first must refuse in the same words.
func TestConditionsThatTheAdminAPIStoresAreInForce(t *testing.T) {
	const seed = 11
	r := rand.New(rand.NewPCG(seed, 4))
	accepted, refused := 0, 0
	for range 20000 {
		text, err := json.Marshal(randomRule(r, 0))
		if err != nil {
			t.Fatal(err)
		}
		v, err := apisix.Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		rule := v.([]any)
		checked := apisix.CheckVars(rule)
		_, _, compiled := expr.Compile(rule)
		if checked == nil && compiled != nil || checked != nil && compiled != nil && checked.Error() != compiled.Error() {
			t.Fatalf("seed %d: %s: the check says %v, the compiler %v", seed, text, checked, compiled)
		}
		if checked == nil {
			accepted++
		} else {
			refused++
		}
	}
	if accepted < 1000 || refused < 1000 {
		t.Errorf("%d expressions are good and %d bad: too few of one", accepted, refused)
	}
}

// randomRule is an expression, most often a good one.
func randomRule(r *rand.Rand, depth int) any {
	pick := func(from ...any) any { return from[r.IntN(len(from))] }
	values := func() any {
		return pick("x", "10.0.0.1", "10.0.0.0/8", 7, 1.5, true, nil, []any{}, []any{"::1", "10.0.0.0/9"}, []any{"x", 5}, map[string]any{})
	}
	op := func() any {
		return pick("==", "~=", ">", ">=", "<", "<=", "~~", "~*", "in", "IN", "has", "ipmatch", "=~", 5, nil)
	}
	name := func() any {
		return pick("arg_a", "server_addr", "server_port", "uri", "uri", "post_arg.a[*]", 5, nil, true)
	}
	if depth == 0 || depth < 3 && r.IntN(3) == 0 {
		list := []any{}
		if r.IntN(3) == 0 {
			list = append(list, pick("AND", "or", "!AND", "!or"))
		}
		for range r.IntN(4) {
			list = append(list, randomRule(r, depth+1))
		}
		return list
	}
	switch r.IntN(12) {
	case 0:
		return values()
	case 1:
		return []any{name()}
	case 2:
		return []any{name(), values()}
	case 3, 4:
		return []any{name(), pick("!", "!", "!", "?"), op(), values()}
	case 5:
		return []any{name(), op(), values(), values(), values()}
	}
	return []any{name(), op(), values()}
}
