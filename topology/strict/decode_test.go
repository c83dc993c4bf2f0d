package strict_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/topology/strict"
)

// A book is a file with everything that the tags can say.
type book struct {
	Name  string            `yaml:"name" required:"true"`
	Steps []step            `yaml:"steps" max:"3"`
	Env   map[string]string `yaml:"env"`
	Body  any               `yaml:"body"`
	Named []named           `yaml:"named"`
}

type step struct {
	At   time.Duration `yaml:"at" max:"1m"`
	Deed *deed         `yaml:"deed"`
}

type named struct {
	Name string `yaml:",key"`
	Size int    `yaml:"size" min:"1" default:"7"`
}

// A deed is a kill, a wire's state, a pause, or "once".
type deed struct{ value any }

func (*deed) Variants() []string { return []string{"kill", "impair", "pause", "once"} }

func (d *deed) Variant(name string) any {
	d.value = map[string]any{"kill": &kill{}, "impair": &impair{}, "pause": new(time.Duration), "once": &struct{}{}}[name]
	return d.value
}

type kill struct {
	On    string `json:"on" need:"true"`
	Grace int    `json:"grace,omitempty" max:"5" default:"2"`
}

type loss struct {
	Loss float64 `json:"loss,omitempty" yaml:"loss" min:"0" max:"1"`
}

type impair struct {
	Wire string `json:"wire" need:"true"`
	loss
	Hidden int
}

func decode(t *testing.T, text string, overrides ...string) (*book, *strict.Source, error) {
	t.Helper()
	b := &book{}
	src, errs := strict.Format{Name: "book", Begin: "name: <name>"}.Decode("b.yaml", []byte(text), b, overrides...)
	return b, src, errs.Err()
}

func TestUnionIsAWordOrAMappingWithOneKey(t *testing.T) {
	b, src, err := decode(t, `name: a
steps:
  - {at: 3s, deed: {kill: {on: bj/az1/l7-1}}}
  - deed:
      impair: {wire: a--b, loss: 0.25}
  - deed: once
`)
	if err != nil {
		t.Fatal(err)
	}
	got := []any{b.Steps[0].Deed.value, b.Steps[1].Deed.value, b.Steps[2].Deed.value}
	want := []any{&kill{On: "bj/az1/l7-1", Grace: 2}, &impair{Wire: "a--b", loss: loss{0.25}}, &struct{}{}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for path, place := range map[string][2]int{"steps[0].deed.kill.on": {3, 32}, "steps[1].deed": {4, 5}, "steps[1].deed.impair.loss": {5, 34}, "steps[2].deed": {6, 11}} {
		if _, line, col := src.Place(path); line != place[0] || col != place[1] {
			t.Errorf("%s is at %d:%d, want %v", path, line, col, place)
		}
	}
	b, _, err = decode(t, "name: a\nsteps: [{deed: {pause: 5s}}]")
	if err != nil || *b.Steps[0].Deed.value.(*time.Duration) != 5*time.Second {
		t.Errorf("got %+v, %v; want a pause of 5s", b, err)
	}
}

func TestEachMistakeInAUnionIsNamed(t *testing.T) {
	for deed, want := range map[string]string{
		"{kil: {on: a}}":                  `b.yaml:2:17: unknown word "kil" in steps[0].deed (did you mean "kill"?)`,
		"{explode: {}}":                   `b.yaml:2:17: unknown word "explode" in steps[0].deed (known: kill, impair, pause, once)`,
		"onec":                            `b.yaml:2:16: unknown word "onec" in steps[0].deed (did you mean "once"?)`,
		"kill":                            `b.yaml:2:16: steps[0].deed: "kill" needs a value: {kill: {on: ...}}`,
		"pause":                           `b.yaml:2:16: steps[0].deed: "pause" needs a value: {pause: ...}`,
		"{kill: {on: a}, once: {}}":       `b.yaml:2:32: steps[0].deed has the keys "kill" and "once"; want one of them`,
		"{}":                              `b.yaml:2:16: steps[0].deed is empty; want one of kill, impair, pause, once`,
		"[kill]":                          `b.yaml:2:16: steps[0].deed is a list; want one of kill, impair, pause, once`,
		"3":                               `b.yaml:2:16: steps[0].deed is "3"; want one of kill, impair, pause, once`,
		"{kill: {no: a}}":                 `b.yaml:2:24: unknown key "no" in steps[0].deed.kill (did you mean "on"?)`,
		"{kill: {}}":                      `b.yaml:2:17: steps[0].deed.kill.on is missing`,
		"{kill: }":                        `b.yaml:2:22: steps[0].deed.kill is empty; want a mapping`,
		"{kill: {on: a, grace: 6}}":       `b.yaml:2:38: steps[0].deed.kill.grace is 6; at most 5`,
		"{impair: {wire: a, loss: 1.5}}":  `b.yaml:2:41: steps[0].deed.impair.loss is 1.5; at most 1`,
		"{impair: {wire: a, loss: -1}}":   `b.yaml:2:41: steps[0].deed.impair.loss is -1; at least 0`,
		"{impair: {wire: a, loss: ten}}":  `b.yaml:2:41: steps[0].deed.impair.loss is "ten"; want a number`,
		"{impair: {wire: a, loss: .inf}}": `b.yaml:2:41: steps[0].deed.impair.loss is .inf; want a number such as 0.05`,
		"{impair: {wire: a, Hidden: 1}}":  `b.yaml:2:35: unknown key "Hidden" in steps[0].deed.impair (known: wire, loss)`,
		"{pause: 5}":                      `b.yaml:2:24: steps[0].deed.pause is "5"; want a time with its unit, such as 500us or 1ms`,
	} {
		_, _, err := decode(t, "name: a\nsteps: [{deed: "+deed+"}]")
		if err == nil || err.Error() != want {
			t.Errorf("%s: got:\n%v\nwant:\n%s", deed, err, want)
		}
	}
}

func TestOverrideReachesIntoUnionsMapsAndLists(t *testing.T) {
	const text = "name: a\nsteps: [{deed: {kill: {on: a}}}, {deed: once}]\nenv: {A: x}"
	b, _, err := decode(t, text, "steps[0].deed.kill.grace=4", "steps[1].deed.pause=2s", "env.B=y", "named.n={size: 3}", "named.n.size=4", "steps[2]={at: 1s}")
	if err != nil {
		t.Fatal(err)
	}
	if k := b.Steps[0].Deed.value.(*kill); k.Grace != 4 || k.On != "a" {
		t.Errorf("kill is %+v, want grace 4 on a", k)
	}
	if p, ok := b.Steps[1].Deed.value.(*time.Duration); !ok || *p != 2*time.Second {
		t.Errorf("second deed is %+v, want a pause of 2s", b.Steps[1].Deed.value)
	}
	if b.Env["A"] != "x" || b.Env["B"] != "y" || b.Named[0].Size != 4 || len(b.Steps) != 3 {
		t.Errorf("got %+v", b)
	}
	_, _, err = decode(t, text, "steps[0].deed.kil.on=b")
	if want := `--set steps[0].deed.kil.on=b: unknown word "kil" in steps[0].deed (did you mean "kill"?)`; err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

func TestFreeValueKeepsWhatWasWritten(t *testing.T) {
	b, _, err := decode(t, `{name: a, body: {uri: /x, n: 1, share: 0.5, "on": true, none: null, list: [a, {b: 2}], v: "7"}}`)
	want := map[string]any{"uri": "/x", "n": int64(1), "share": 0.5, "on": true, "none": nil, "list": []any{"a", map[string]any{"b": int64(2)}}, "v": "7"}
	if err != nil || !reflect.DeepEqual(b.Body, want) {
		t.Errorf("got %#v, %v, want %#v", b.Body, err, want)
	}
}

func TestReportAddsToWhatTheTagsSay(t *testing.T) {
	_, src, err := decode(t, "name: a\nsteps: [{at: 2m}, {at: x}]")
	var errs strict.Errors
	if !errors.As(err, &errs) {
		t.Fatalf("got %v, want Errors", err)
	}
	r := src.Report(errs)
	r.Fail("steps[0].deed", "step 0 does nothing")
	r.Fail("steps[1].at", "said already what is wrong with it")
	want := []string{"b.yaml:2:9: step 0 does nothing", "b.yaml:2:14: steps[0].at is 2m0s; at most 1m0s",
		`b.yaml:2:24: steps[1].at is "x"; want a time with its unit, such as 500us or 1ms`, "3 problems"}
	if got := r.Err().Error(); got != strings.Join(want, "\n") {
		t.Errorf("got:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}

func TestValuesMadeInGoAreHeldToTheTags(t *testing.T) {
	b := &book{Steps: make([]step, 4), Named: []named{{Name: "x", Size: -1}, {Name: "y"}}}
	strict.Fill(b, nil)
	var src *strict.Source
	r := src.Report(nil)
	r.Limits(b)
	want := "name is missing\nsteps has 4 entries; at most 3\nnamed.x.size is -1; at least 1\n3 problems"
	if err := r.Err(); err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	if b.Named[1].Size != 7 {
		t.Errorf("size of y is %d, want its default 7", b.Named[1].Size)
	}
	if err := src.Report(nil).Err(); err != nil {
		t.Errorf("a report of nothing is %v", err)
	}
}
