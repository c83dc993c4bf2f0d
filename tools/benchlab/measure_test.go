package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
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
	if a.Name != "m/a" || a.Unit != "ms" || *a.Spread != (Spread{Median: 4, Min: 1, Max: 9}) || a.N != 4 || b.Name != "m/b" || b.Median != -4 {
		t.Errorf("got %+v %+v, %+v %+v", a, *a.Spread, b, *b.Spread)
	}
	broken := errors.New("broken")
	m.Run = func(context.Context, Settings) ([]Sample, error) { return nil, broken }
	if _, err := m.repeat(t.Context(), Settings{Log: io.Discard}, 1); !errors.Is(err, broken) {
		t.Errorf("got %v, want the run's error", err)
	}
}

func TestMedianIsTheMiddleOrBetweenTheTwo(t *testing.T) {
	for _, c := range []struct {
		of   []float64
		want float64
	}{{[]float64{7}, 7}, {[]float64{1, 2}, 1.5}, {[]float64{1, 2, 9}, 2}, {[]float64{1, 2, 4, 90}, 3}} {
		if got := median(c.of); got != c.want {
			t.Errorf("median of %v: got %v, want %v", c.of, got, c.want)
		}
	}
	if got := quantile([]float64{5, 1, 4, 2, 3}, 0.99); got != 5 {
		t.Errorf("p99 of five: got %v, want the largest, 5", got)
	}
}

func TestFiguresAreWrittenWithSixDigits(t *testing.T) {
	for v, want := range map[float64]float64{1.9489999999999998: 1.949, 0: 0, -2.5: -2.5, 41712.3456: 41712.3, 0.000123456789: 0.000123457} {
		if got := sixDigits(v); got != want {
			t.Errorf("%v: got %v, want %v", v, got, want)
		}
	}
}

func TestRatioToNothingIsAnError(t *testing.T) {
	if got, err := ratio(6, 4); got != 1.5 || err != nil {
		t.Errorf("got %v, %v, want 1.5", got, err)
	}
	if got, err := ratio(6, 0); err == nil {
		t.Errorf("got %v, want an error", got)
	}
}

func TestALimitIncludesItsBound(t *testing.T) {
	for _, c := range []struct {
		limit Limit
		v     float64
		want  bool
	}{{atMost(2), 2, true}, {atMost(2), 2.01, false}, {atLeast(12), 12, true}, {atLeast(12), 11.99, false}} {
		if got := c.limit.keeps(c.v); got != c.want {
			t.Errorf("%v %s: got %t, want %t", c.v, c.limit, got, c.want)
		}
	}
}

func TestLimitsAreHeldAgainstTheMedian(t *testing.T) {
	values := []float64{1, 2, 30}
	m := Measurement{Name: "m", Limits: map[string]Limit{"up": atMost(2), "times": atLeast(12), "gone": atLeast(1)}, Detail: func() string { return "not installed" },
		Run: func(context.Context, Settings) ([]Sample, error) {
			v := values[0]
			values = values[1:]
			return []Sample{{"up", "s", v}, {"times", "1", v}, {"free", "1", v}}, nil
		}}
	rows, err := m.repeat(t.Context(), Settings{Log: io.Discard}, 3)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	want := []map[string]any{
		{"name": "m/up", "limit": "<= 2", "ok": true, "median": 2.0, "n": 3.0},
		{"name": "m/times", "limit": ">= 12", "ok": false, "median": 2.0, "n": 3.0},
		{"name": "m/free", "limit": nil, "ok": nil, "median": 2.0, "n": 3.0},
		{"name": "m/gone", "limit": ">= 1", "ok": nil, "median": nil, "n": 0.0, "detail": "not installed"},
	}
	for i, w := range want {
		for k, v := range w {
			if i >= len(got) || got[i][k] != v {
				t.Errorf("row %d, %s: want %v; got %s", i, k, v, b)
			}
		}
	}
	d := Document{Rows: rows}
	if d.missed() != 1 {
		t.Errorf("got %d limits missed, want 1: what was not measured is not missed", d.missed())
	}
	var text bytes.Buffer
	d.print(&text)
	for _, w := range []string{"MISSED", "kept", "not measured", "m/gone: not installed", "1 limits missed"} {
		if !strings.Contains(text.String(), w) {
			t.Errorf("no %q in\n%s", w, text.String())
		}
	}
}

func TestAFailedMeasurementLeavesTheOthers(t *testing.T) {
	ok := Measurement{Name: "good", Runs: 2, Run: func(context.Context, Settings) ([]Sample, error) { return []Sample{{"x", "1", 1}}, nil }}
	bad := Measurement{Name: "bad", Runs: 1, Run: func(context.Context, Settings) ([]Sample, error) { return nil, errors.New("broken") }}
	var d Document
	if err := d.measure(t.Context(), []Measurement{bad, ok}, Settings{Log: io.Discard}, 0); err != nil {
		t.Fatal(err)
	}
	if len(d.Failed) != 1 || d.Failed[0].Name != "bad" || !strings.Contains(d.Failed[0].Error, "broken") || len(d.Rows) != 1 || d.Rows[0].N != 2 {
		t.Errorf("got %+v", d)
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
	if n := b.since(a); math.Abs(n.Stolen-0.15) > 1e-9 || n.Quiet {
		t.Errorf("got %+v, want 0.15 stolen, not quiet", n)
	}
	b.busy = a.busy
	if n := b.since(a); n.Others != 0 || n.Quiet {
		t.Errorf("got %+v, want nothing used and stolen time, which is not quiet", n)
	}
	b.stolen = a.stolen
	if n := b.since(a); !n.Quiet {
		t.Errorf("got %+v, want quiet", n)
	}
	b.busy = a.busy + b.total - a.total
	if n := b.since(a); n.Quiet {
		t.Errorf("got %+v with every CPU used by others, want not quiet", n)
	}
	for _, bad := range []string{"", "cpu 1 2", "cpu0 1 2 3 4 5 6 7 8", "cpu a b c d e f g h"} {
		if _, err := parseStat(bad); err == nil {
			t.Errorf("%q: no complaint", bad)
		}
	}
}

func TestCPUTimeOfAProcessIsReadWhateverItsName(t *testing.T) {
	self, waited, err := parseProcess("7 (a) b) c) S 1 7 7 0 -1 4194304 1 2 3 4 100 20 3 4 20 0 1 0 5 6\n")
	if err != nil || self != 1200*time.Millisecond || waited != 70*time.Millisecond {
		t.Errorf("got %s, %s, %v, want 1.2s, 70ms", self, waited, err)
	}
	for _, bad := range []string{"", "7 (a", "7 (a) S 1 2 3", "7 (a) S 1 7 7 0 -1 4194304 1 2 3 4 x 20 3 4 20 0"} {
		if _, _, err := parseProcess(bad); err == nil {
			t.Errorf("%q: no complaint", bad)
		}
	}
}

func TestStepsAreWhatLbsimTells(t *testing.T) {
	got := steps(" ✓ network   35 nodes, 37 links                 386ms\n ✓ stage 0   unilb-etcd 3   1.5s\nwarning: 3s\n ✓ odd\n ✓ spread    bj-l4 2 of 2    0s\n")
	want := []Sample{{"network", "s", 0.386}, {"stage 0", "s", 1.5}, {"spread", "s", 0}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestHostsAreAsManyAsAskedFor(t *testing.T) {
	for _, n := range []int{2, 100, 256, 257, 1000} {
		spec, err := topology.Parse("hosts.yaml", []byte(hostsFile(n)))
		if err != nil {
			t.Fatalf("%d: %v", n, err)
		}
		plan, err := spec.Plan()
		if err != nil {
			t.Fatalf("%d: %v", n, err)
		}
		hosts := plan.OfKind(topology.KindClient)
		if len(hosts) != n || !addressOf(plan, hosts[n-1].Ref).IsValid() {
			t.Errorf("got %d hosts, the last with %s; want %d", len(hosts), addressOf(plan, hosts[n-1].Ref), n)
		}
		if links := plan.LinksOf(hosts[0].Ref); len(links) != 1 {
			t.Errorf("got %d links of a host, want 1", len(links))
		}
	}
}

func TestRoundTripsAreLessTwiceTheDelay(t *testing.T) {
	got := tripFigures("5ms", 5*time.Millisecond, []float64{12, 10.5, 10.25})
	want := []Sample{{"5ms-p50", "ms", 10.5}, {"5ms-p99", "ms", 12}, {"5ms-p50-over", "ms", 0.5}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, d := range []time.Duration{0, time.Millisecond, 5 * time.Millisecond, 25 * time.Millisecond, time.Second} {
		if n := roundTrips(d); n < 40 || n > 500 {
			t.Errorf("%s: %d round trips, want 40 to 500", d, n)
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
	if ms, err := choose("up-"); err != nil || len(ms) != 4 {
		t.Errorf("got %d labs, %v, want 4", len(ms), err)
	}
	for _, bad := range []string{"nobody", "up-hello,", "clients-fuller"} {
		if _, err := choose(bad); err == nil {
			t.Errorf("%q: no complaint", bad)
		}
	}
}
