package check

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
	"github.com/unilb/unilb/topology/strict"
)

func TestEveryKindReadsItsOwnExampleAndItsOwnJSON(t *testing.T) {
	for _, k := range Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			specs := readSpecs(t, k.Name, []byte("checks:\n  - "+k.Example+"\n"))
			if len(specs) != 1 || specs[0].Kind() != k.Name {
				t.Fatalf("the example is no %s: %+v", k.Name, specs)
			}
			any0 := Any{Value: specs[0]}
			b, err := json.Marshal(any0)
			if err != nil {
				t.Fatal(err)
			}
			var back Any
			if err := json.Unmarshal(b, &back); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(back.Value, any0.Spec()) {
				t.Errorf("decoded %#v, want %#v", back.Value, any0.Spec())
			}
			if v := JudgeSpecs(&history.History{}, Facts{}, []Spec{back.Value})[0]; v.State != Unknown || v.Check != specs[0].Checker().Name() {
				t.Errorf("an empty history: got %s", v)
			}
			if k.Says == "" || slices.ContainsFunc(k.Fields, func(f Field) bool { return f.Doc == "" || f.Need && f.Default != "" }) {
				t.Errorf("it does not say what it is: %+v", k)
			}
		})
	}
}

func TestMisspeltChecksAreExplained(t *testing.T) {
	for text, want := range map[string]string{
		"at-most-onse":                                   `(did you mean "at-most-once"?)`,
		"blast-radius":                                   `"blast-radius" needs a value: {blast-radius: {in: ..., during: ...}}`,
		"recovers: {in: x}":                              `unknown key "in"`,
		"recovers: {within: 0s}":                         "recovers.within",
		"nothing-left: {streams: [a]}":                   `unknown key "streams"`,
		"weighted: {alpha: 7, weights: {a: 1}}":          "weighted.alpha",
		"no-request-lost: {except: [{in: a}]}":           "during is missing",
		`blast-radius: {in: "a/**", during: f, plus: 3}`: "want a time with its unit",
	} {
		var file struct {
			Checks []Any `yaml:"checks"`
		}
		_, errs := (strict.Format{}).Decode("f.yaml", []byte("checks:\n  - "+text+"\n"), &file)
		if err := errs.Err(); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "f.yaml:2:") {
			t.Errorf("%s: got %v, want %q with its place", text, err, want)
		}
	}
	for _, c := range []struct {
		spec Spec
		want string
	}{
		{BlastRadiusSpec{In: "a//b", When: When{During: "f"}}, "empty segment"},
		{BlastRadiusSpec{In: "a"}, "during names no span and no fault"},
		{HealthGateSpec{}, "empty selector"},
		{NoRequestLostSpec{Except: []ExceptSpec{{When: When{During: "f"}}}}, "except[0]: without in, only must list"},
		{NoRequestLostSpec{Except: []ExceptSpec{{In: "a", When: When{During: "f"}, Only: []history.ErrClass{"resett"}}}}, `except[0]: only: "resett" is no way to end; there are: refused, reset`},
		{WeightedSpec{}, "no weights"},
		{WeightedSpec{Weights: map[string]int{"a": -1}}, "a has -1"},
		{RecoversSpec{Within: -1}, "negative"},
	} {
		if err := c.spec.Spelling(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want %q", c.spec, err, c.want)
		}
		if v := JudgeSpecs(&(&run{}).good(30).h, facts, []Spec{c.spec})[0]; v.State != Unknown || !strings.Contains(v.Summary, c.want) {
			t.Errorf("judged: got %s, want unknown with %q", v, c.want)
		}
	}
	for _, b := range []string{`{"type":"recovers","check":{"whithin":1}}`, `{"type":"x","check":{}}`, `{"check":{}}`, `{}`, `[]`} {
		if s, err := Decode([]byte(b)); err == nil {
			t.Errorf("Decode(%s): got %+v, want an error", b, s)
		}
	}
}

func TestNamesOfWindowsAreResolvedInTheHistory(t *testing.T) {
	spec := func(name string) Spec {
		return BlastRadiusSpec{In: "bj/az1/**", When: When{During: name, Plus: 5 * ms}}
	}
	h := (&run{}).good(60).op(93*ms, lost).h
	h.Faults = []history.FaultWindow{{ID: "1", Name: "outage", Window: history.Window{From: 45 * ms, To: 90 * ms}}, {ID: "2", Name: "twice", Window: history.Window{From: 60 * ms}}, {ID: "3", Window: history.Window{From: 60 * ms}}}
	h.Spans = []history.Span{{Name: "cost", Window: history.Window{From: 45 * ms, To: 95 * ms}}, {Name: "twice"}}
	for name, c := range map[string]want{
		"outage": {Valid, "1 of 1 failures inside"}, // within the 5 ms that it was widened by
		"cost":   {Valid, ""},
		"twice":  {Unknown, `during "twice": 2 spans and faults of the history have that name`},
		"other":  {Unknown, `during "other": no span and no fault of the history has that name; there are: cost, outage, twice`},
	} {
		judge(t, spec(name).Checker(), h, c)
	}
	judge(t, spec("cost").Checker(), (&run{}).good(30).h, want{Unknown, "no span and no fault of the history has a name"})
	h.Faults[0].To -= 5 * ms
	judge(t, spec("outage").Checker(), h, want{Invalid, "outside the window"})
	first := BlastRadiusSpec{In: "bj/az1/**", When: When{During: "cost", First: 10 * ms}} // ends before the failure
	judge(t, first.Checker(), h, want{Invalid, "outside the window"})
	except := NoRequestLostSpec{Except: []ExceptSpec{{In: "bj/az1/**", When: When{During: "cost"}}}}
	judge(t, except.Checker(), h, want{Valid, "1 excused"})
	except.Except[0].First = 10 * ms // ends before the operation
	judge(t, except.Checker(), h, want{Invalid, ""})
	except.Except[0].First = 0
	except.Except[0].Only = []history.ErrClass{history.ClassRefused}
	judge(t, except.Checker(), h, want{Invalid, ""})
}

// A fault that never happened excuses nothing.
func TestLossIsInvalidWhenItsExcuseNamesWhatDidNotHappen(t *testing.T) {
	h := (&run{}).good(60).op(50*ms, lost).op(93*ms, lost).h
	except := func(names ...string) Checker {
		s := NoRequestLostSpec{}
		for _, n := range names {
			s.Except = append(s.Except, ExceptSpec{In: "bj/az1/**", When: When{During: n}})
		}
		return s.Checker()
	}
	v := judge(t, except("outage"), h, want{Invalid, `2 of 62 lost or altered, 0 excused; during "outage": no span and no fault`})
	if len(v.Evidence) != 2 || v.Evidence[0].Op != "op-61" {
		t.Errorf("got %+v, want both operations, op-61 first", v.Evidence)
	}
	judge(t, except("outage"), (&run{}).good(60).h, want{Unknown, `during "outage": no span and no fault`})
	h.Spans = []history.Span{{Name: "cost", Window: history.Window{From: 45 * ms, To: 60 * ms}}, {Name: "twice"}, {Name: "twice"}}
	judge(t, except("outage", "cost"), h, want{Invalid, "1 of 62 lost or altered, 1 excused"}) // another one did happen
	judge(t, except("twice"), h, want{Unknown, "2 spans and faults"})                          // it is not known which
}

func TestStreamsNarrowACheck(t *testing.T) {
	stream := func(s string) func(*history.Op) { return func(o *history.Op) { o.Stream = s } }
	h := (&run{}).good(30, stream("fast")).op(ms, lost, stream("slow")).h
	judge(t, NoRequestLostSpec{}.Checker(), h, want{Invalid, ""})
	judge(t, NoRequestLostSpec{Among: Among{[]string{"fast"}}}.Checker(), h, want{Valid, "30 operations"})
	judge(t, NoRequestLostSpec{Among: Among{[]string{"fast", "slow"}}}.Checker(), h, want{Invalid, ""})
	judge(t, NoRequestLostSpec{Among: Among{[]string{"fast", "fats"}}}.Checker(), h, want{Unknown, `no operation is of stream "fats"`})
}

func TestWeightsMayBeGivenBySelector(t *testing.T) {
	f := Facts{Behind: map[topology.Ref]topology.Ref{"idc/blue-1": "r", "idc/blue-2": "r", "idc/green-1": "r"}}
	h := (&run{}).good(300, by("idc/green-1")).good(100, by("idc/blue-1")).h
	for name, c := range map[string]struct {
		weights map[string]int
		want    State
		text    string
	}{
		"a silent one counts":     {map[string]int{"idc/blue-*": 1, "idc/green-1": 3}, Invalid, "idc/blue-2 0 (weight 1)"},
		"its own name goes first": {map[string]int{"idc/blue-*": 1, "idc/blue-2": 0, "idc/green-1": 3}, Valid, ""},
		"twice":                   {map[string]int{"idc/blue-*": 1, "idc/*-1": 1}, Unknown, "idc/blue-1 is matched by idc/*-1 and by idc/blue-*"},
		"nobody":                  {map[string]int{"idc/red-*": 1}, Unknown, "idc/red-* matches no backend"},
	} {
		if v := JudgeSpecs(&h, f, []Spec{WeightedSpec{Weights: c.weights}})[0]; v.State != c.want || !strings.Contains(v.Summary, c.text) {
			t.Errorf("%s: got %s, want %s with %q", name, v, c.want, c.text)
		}
	}
}

func TestFactsComeBackFromJSON(t *testing.T) {
	want := facts
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Facts
	if err := strictly(b, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v (%v), want %+v\n%s", got, err, want, b)
	}
	if got.Gateways[netip.MustParseAddr("100.127.0.1")] != "bj/az1/l7-1" {
		t.Errorf("gateways: %v", got.Gateways)
	}
}

func TestDefaultsAreWhatTheTagsSay(t *testing.T) {
	for _, k := range Kinds() {
		for _, f := range k.Fields {
			if f.Default != "" && f.Default != DefaultWithin.String() && f.Default != fmt.Sprint(DefaultAlpha) {
				t.Errorf("%s.%s: default %s is not what is used when it is left out", k.Name, f.Name, f.Default)
			}
		}
	}
	if got, want := (RecoversSpec{}).Checker(), Recovers(15*time.Second); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// The page on checks has each of them, its example, and what it says when it fails.
func TestPageOnChecksIsComplete(t *testing.T) {
	page, err := os.ReadFile("../../docs/checks.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range Kinds() {
		v, err := os.ReadFile("testdata/" + k.Name + "/invalid.golden")
		if err != nil {
			t.Fatal(err)
		}
		line, _, _ := strings.Cut(string(v), "\n")
		for _, want := range []string{"## " + k.Name + "\n", k.Example, line} {
			if !strings.Contains(string(page), want) {
				t.Errorf("docs/checks.md does not have %q", want)
			}
		}
		for _, f := range k.Fields {
			if !strings.Contains(string(page), "`"+f.Name+"`") {
				t.Errorf("docs/checks.md says nothing of %s of %s", f.Name, k.Name)
			}
		}
	}
}
