package main

import (
	"context"
	"errors"
	"io"
	"math"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/history"
)

func TestRowsHaveMedianAndExtremes(t *testing.T) {
	values := []float64{5, 1, 9, 3}
	m := Measurement{Name: "m", Run: func(context.Context, Settings) ([]Sample, error) {
		v := values[0]
		values = values[1:]
		return []Sample{{"a", "ms", v}, {"b", "1", -v}}, nil
	}}
	rows, err := m.repeat(t.Context(), Settings{Log: io.Discard}, 4)
	if err != nil || len(rows) != 2 {
		t.Fatalf("got %+v, %v", rows, err)
	}
	a, b := rows[0], rows[1]
	if a.Name != "m/a" || a.Unit != "ms" || a.Value != 4 || a.Noise.Min != 1 || a.Noise.Max != 9 || a.Noise.Runs != 4 || b.Name != "m/b" || b.Value != -4 {
		t.Errorf("got %+v", rows)
	}
	broken := errors.New("broken")
	m.Run = func(context.Context, Settings) ([]Sample, error) { return nil, broken }
	if _, err := m.repeat(t.Context(), Settings{Log: io.Discard}, 1); !errors.Is(err, broken) {
		t.Errorf("got %v, want the run's error", err)
	}
}

func TestNoiseIsAShareOfTheTimeBetween(t *testing.T) {
	a, err := parseStat("cpu  100 0 50 800 10 0 5 35 0 0\ncpu0 1 2 3\n")
	if err != nil {
		t.Fatal(err)
	}
	b, err := parseStat("cpu  150 0 70 900 10 0 5 65 0 0\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := b.stolen - a.stolen; got != 30 || b.total-a.total != 200 || b.busy-a.busy != 70 {
		t.Errorf("got stolen %v, total %v, busy %v, want 30, 200, 70", got, b.total-a.total, b.busy-a.busy)
	}
	b.at, a.at = time.Unix(10, 0), time.Unix(9, 0)
	if n := b.since(a); math.Abs(n.Stolen-0.15) > 1e-9 {
		t.Errorf("got %+v, want 0.15 stolen", n)
	}
	for _, bad := range []string{"", "cpu 1 2", "cpu0 1 2 3 4 5 6 7 8", "cpu a b c d e f g h"} {
		if _, err := parseStat(bad); err == nil {
			t.Errorf("%q: no complaint", bad)
		}
	}
}

func TestFiguresAreOfTheWindowOnly(t *testing.T) {
	const s = time.Second
	h := &history.History{}
	for i := range 40 { // ten a second, each 2 ms late and 6 ms long
		at := time.Duration(i) * s / 10
		o := history.Op{Intended: at, Sent: at + 2*time.Millisecond, Returned: at + 6*time.Millisecond, Outcome: history.OK}
		if i == 15 {
			o.Outcome = history.Info
		}
		h.Ops = append(h.Ops, o)
	}
	got, err := figures(h, s, 3*s, s/2)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"rate": 10, "cpu": 0.25, "cpu-per-request": 25_000, "late-p99": 2, "latency-p50": 6, "latency-p99": 6, "not-ok": 1}
	for _, x := range got {
		if math.Abs(x.Value-want[x.Name]) > 1e-6 {
			t.Errorf("%s: got %v, want %v", x.Name, x.Value, want[x.Name])
		}
	}
	if _, err := figures(h, 10*s, 20*s, 0); err == nil {
		t.Error("nothing in the window, and figures all the same")
	}
}

func TestMeasurementsAreChosenByName(t *testing.T) {
	if ms, err := choose(""); err != nil || len(ms) != len(measurements) {
		t.Errorf("got %d of %d, %v", len(ms), len(measurements), err)
	}
	if ms, err := choose("clients-full,clients"); err != nil || len(ms) != 2 || ms[1].Name != "clients" {
		t.Errorf("got %+v, %v", ms, err)
	}
	if _, err := choose("client"); err == nil {
		t.Error("an unknown name: no complaint")
	}
}
