package vpc

import (
	"encoding/json"
	"errors"
	"net/netip"
	"reflect"
	"testing"
	"time"
)

var (
	unique = netip.MustParseAddr("100.64.0.1")
	red    = Owner{VPC: "red", VNI: 1001, IP: netip.MustParseAddr("192.168.0.10")}
	noon   = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
)

func must(t *testing.T) func(Address, error) Address {
	return func(a Address, err error) Address {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
}

func TestAddressGoesRoundItsLife(t *testing.T) {
	ok := must(t)
	a := ok(Address{UniqueIP: unique}.Give(red, "web"))
	if a.State != Active || a.Generation != 1 || a.Owner != red {
		t.Fatalf("got %+v after Give", a)
	}
	a = ok(a.Use("api"))
	a = ok(a.Release("web", 7))
	if a.State != Active {
		t.Fatalf("got %s with a user left, want active", a.State)
	}
	a = ok(a.Release("api", 5))
	if a.State != Draining || a.Barrier != 7 {
		t.Fatalf("got %s behind barrier %d, want draining behind the later of both, 7", a.State, a.Barrier)
	}
	a = ok(a.Reached(noon))
	if _, err := a.Withdraw(noon.Add(-1), noon); err == nil {
		t.Fatal("withdrawn before the drain ended")
	}
	a = ok(a.Withdraw(noon, noon.Add(time.Minute)))
	if a.State != Quarantine || !a.Owner.IsZero() || a.Mapping != nil {
		t.Fatalf("got %+v in quarantine", a)
	}
	if _, err := a.Free(noon.Add(time.Minute - 1)); err == nil {
		t.Fatal("freed before the quarantine ended")
	}
	a = ok(a.Free(noon.Add(time.Minute)))
	a = ok(a.Give(red, "web"))
	if a.Generation != 2 {
		t.Errorf("got generation %d for the second owner, want 2", a.Generation)
	}
}

func TestStepsThatTheStateDoesNotAllowAreRefused(t *testing.T) {
	steps := map[string]func(Address) error{
		"give":     func(a Address) error { _, err := a.Give(red, "web"); return err },
		"use":      func(a Address) error { _, err := a.Use("web"); return err },
		"release":  func(a Address) error { _, err := a.Release("web", 1); return err },
		"reached":  func(a Address) error { _, err := a.Reached(noon); return err },
		"withdraw": func(a Address) error { _, err := a.Withdraw(noon, noon); return err },
		"free":     func(a Address) error { _, err := a.Free(noon); return err },
	}
	allowed := map[State][]string{
		Free: {"give"}, Active: {"use", "release"}, Draining: {"use", "reached"}, Quarantine: {"free"},
	}
	for state, names := range allowed {
		for name, step := range steps {
			want := false
			for _, n := range names {
				want = want || n == name
			}
			err := step(Address{UniqueIP: unique, State: state, Generation: 1})
			var refused *StepError
			if want != (err == nil) || err != nil && !errors.As(err, &refused) {
				t.Errorf("%s an address that is %s: got %v, want allowed %t", name, state, err, want)
			}
		}
	}
}

func TestAddressSurvivesItsJSON(t *testing.T) {
	m := Mapping{UniqueIP: unique, VPC: "red", VNI: 1001, VPCIP: red.IP, MAC: MAC{2, 0, 0, 0, 0, 1}, VTEP: netip.MustParseAddr("10.0.0.1"), Generation: 3}
	for _, a := range []Address{
		{UniqueIP: unique, State: Active, Owner: red, Generation: 3, Users: []string{"web"}, Mapping: &m},
		{UniqueIP: unique, State: Draining, Owner: red, Generation: 3, Barrier: 9, Until: noon, Mapping: &m},
		{UniqueIP: unique, State: Quarantine, Generation: 3, Until: noon},
		{UniqueIP: unique, State: Free, Generation: 3},
	} {
		b, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseAddress(b)
		if err != nil || !reflect.DeepEqual(got, a) {
			t.Errorf("got %+v, %v from %s, want %+v", got, err, b, a)
		}
	}
}
