package admin

import (
	"maps"
	"slices"
	"testing"
)

func TestEveryKindIsInEachOrder(t *testing.T) {
	t.Parallel()
	want := slices.Sorted(maps.Keys(resources))
	for name, order := range map[string][]string{
		"checks of whole configurations": sections,
		"writes of whole configurations": writeOrder,
		"placeholders":                   slices.DeleteFunc(slices.Clone(directories), func(dir string) bool { return dir == "plugins" }), // no kind
	} {
		if got := slices.Sorted(slices.Values(order)); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

func TestWhatIsReferredToIsWrittenFirst(t *testing.T) {
	t.Parallel()
	checked := 0
	inOrder := func(user, used string) {
		t.Helper()
		if user == used {
			return // no order of kinds settles that
		}
		if checked++; slices.Index(writeOrder, used) > slices.Index(writeOrder, user) {
			t.Errorf("%s are written before the %s that they refer to", user, used)
		}
	}
	for name, res := range resources {
		for _, u := range res.users {
			inOrder(u.dir, name)
		}
		for _, r := range res.refs {
			inOrder(name, r.dir)
		}
	}
	if checked < 10 {
		t.Errorf("only %d references were looked at", checked)
	}
}
