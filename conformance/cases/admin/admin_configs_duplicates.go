package admin

import (
	"context"
	"slices"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that takes a configuration in which one object silently
// replaces another.
var adminConfigsDuplicates = spec.Case{
	ID: "ADMIN-CONFIGS-DUPLICATES", Level: spec.Must, Needs: []spec.Feature{spec.AdminConfigs},
	Title: "Two objects of one id are told, also when one has it as a number, and two consumers of one name.",
	Refs:  []string{"APISIX 3.18 Admin API, whole-config validation"},
	After: []string{"ADMIN-CONFIGS-ERRORS"},
	Run: func(ctx context.Context, t *spec.T) {
		got := configErrors(ctx, t, `{"routes":[{"id":"7","uri":"/a","plugins":{}},{"id":7,"uri":"/b","plugins":{}}],"consumers":[{"username":"a"},{"username":"a"},{"id":"a/credentials/c"},{"id":"a/credentials/c"}]}`)
		want := []string{
			"consumers|a/credentials/c|3|found duplicate credential id a/credentials/c in consumers", "consumers|a|1|found duplicate username a in consumers",
			"routes|7|1|found duplicate id 7 in routes",
		}
		t.Check(slices.Equal(got, want), "got %q, want %q", got, want)
	},
}
