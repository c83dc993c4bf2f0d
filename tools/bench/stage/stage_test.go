package stage

import (
	"math"
	"testing"
	"time"
)

func TestGroupsOfThisProcessAreRead(t *testing.T) {
	v2, v1 := parseOwnGroups("9:name=systemd:/\n4:cpu,cpuacct:/x\n3:cpuset:/\n0::/user.slice/a\n")
	if v2 != "/user.slice/a" || v1 != "cpu,cpuacct" {
		t.Errorf("got %q and %q", v2, v1)
	}
	if v2, v1 := parseOwnGroups("0::/\n"); v2 != "/" || v1 != "" {
		t.Errorf("v2 alone: got %q and %q", v2, v1)
	}
	d, err := parseUsage("usage_usec 1500\nuser_usec 1000\n")
	if err != nil || d != 1500*time.Microsecond {
		t.Errorf("usage %s, %v", d, err)
	}
	if _, err := parseUsage("nr_periods 0\n"); err == nil {
		t.Error("no usage passes for some")
	}
}

func TestCountersOfTheMachineAreRead(t *testing.T) {
	before, err := parseStat("cpu  100 0 50 1000 5 0 10 20 0 0\n")
	if err != nil {
		t.Fatal(err)
	}
	after, err := parseStat("cpu  190 10 80 1000 50 0 40 30 0 0\n") // 1.6 s more busy, 0.1 s stolen
	if err != nil {
		t.Fatal(err)
	}
	after.At = before.At.Add(2 * time.Second)
	after.Ours, after.Group, after.Waited = time.Second, 800*time.Millisecond, 100*time.Millisecond
	want := Used{Group: 0.4, Waited: 0.05, Stolen: 0.05, Foreign: 0.3}
	got := after.Since(before)
	for what, d := range map[string]float64{"group": got.Group - want.Group, "waited": got.Waited - want.Waited, "stolen": got.Stolen - want.Stolen, "foreign": got.Foreign - want.Foreign} {
		if math.Abs(d) > 1e-9 {
			t.Errorf("%s: got %+v, want %+v", what, got, want)
		}
	}
	for _, bad := range []string{"", "cpu 1 2 3", "cpu0 1 2 3 4 5 6 7 8 9", "cpu a b c d e f g h i"} {
		if _, err := parseStat(bad); err == nil {
			t.Errorf("%q: no complaint", bad)
		}
	}
}
