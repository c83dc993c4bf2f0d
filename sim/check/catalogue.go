package check

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// A Kind is one entry of the catalogue of checks.
type Kind struct {
	Name    string // the type tag, and the word of scenario files
	Says    string // what holds when the verdict is valid
	Example string // an entry of a scenario file's list of checks
	Fields  []Field
	typ     reflect.Type
}

// A Field is one property of a check.
type Field struct {
	Name    string
	Doc     string
	Default string
	Need    bool // it has no default
}

// catalogue holds every check there is.
var catalogue = []Kind{
	kindOf[NoRequestLostSpec]("every operation got the complete answer of a backend, which got it as it was sent",
		`no-request-lost: {except: [{in: "bj/az1/**", during: az1-loses-power, plus: 2s, only: [refused, reset, eof]}]}`),
	kindOf[AtMostOnceSpec]("no request that must not be repeated arrived twice", "at-most-once"),
	kindOf[ConfigConvergesSpec]("a write comes into force in time, and no gateway goes back", "config-converges: {within: 5s}"),
	kindOf[NoTornConfigSpec]("route and group that a request went by existed together", "no-torn-config: {streams: [fast]}"),
	kindOf[TenantIsolationSpec]("no request meant for one network arrived in another", "tenant-isolation"),
	kindOf[WeightedSpec]("answers spread over the backends as their weights say",
		`weighted: {alpha: 0.001, weights: {"idc/bj/blue-*": 3, idc/bj/green-1: 1}}`),
	kindOf[HealthGateSpec]("a backend that is out gets nothing after detection, and something again after it is back",
		`health-gate: {on: "idc/bj/blue-*", detect: 5s, recover: 10s}`),
	kindOf[BlastRadiusSpec]("operations failed only in one part, and only then", `blast-radius: {in: "bj/az1/**", during: az1-loses-power, plus: 2s}`),
	kindOf[RecoversSpec]("soon after each fault began a second passed in which nothing failed", "recovers: {within: 5s}"),
	kindOf[AdminLinearizableSpec]("each key of the Admin API behaves as one register, whoever asks which server", "admin-linearizable"),
	kindOf[NothingLeftSpec]("what is there after the lab was there before it", "nothing-left"),
}

func kindOf[S Spec](says, example string) Kind {
	var s S
	t := reflect.TypeFor[S]()
	k := Kind{Name: s.Kind(), Says: says, Example: example, typ: t}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(cmp.Or(f.Tag.Get("yaml"), f.Tag.Get("json")), ",")
		if f.Anonymous || name == "" {
			continue
		}
		k.Fields = append(k.Fields, Field{Name: name, Doc: f.Tag.Get("doc"), Default: f.Tag.Get("default"), Need: f.Tag.Get("required") == "true"})
	}
	return k
}

// Kinds returns the catalogue, in its own order. Callers do not change it.
func Kinds() []Kind { return catalogue }

// KindOf returns the entry with the name. The error lists the names there are.
func KindOf(name string) (Kind, error) {
	i := slices.IndexFunc(catalogue, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return Kind{}, fmt.Errorf("no check %q; there are: %s", name, strings.Join(names(), ", "))
	}
	return catalogue[i], nil
}

func names() []string {
	var ns []string
	for _, k := range catalogue {
		ns = append(ns, k.Name)
	}
	return ns
}

// New returns a pointer to a zero value of the spec, for decoders to fill in.
func (k Kind) New() any { return reflect.New(k.typ).Interface() }

// Of is the Spec that a pointer made by New points to, once it is filled in.
func Of(pointer any) Spec { return reflect.ValueOf(pointer).Elem().Interface().(Spec) }
