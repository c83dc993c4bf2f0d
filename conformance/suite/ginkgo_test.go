package suite

import (
	"os"
	"strings"
	"testing"

	"github.com/unilb/unilb/conformance/spec"
)

func TestScenariosLoseNothing(t *testing.T) {
	f, err := os.Open("testdata/ginkgo.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rs, err := Scenarios(f, func(title string) string { return "focus " + title })
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rs {
		got = append(got, string(r.State)+" "+r.Case+": "+strings.Join(r.Says, " / "))
	}
	want := []string{
		"pass IDC routing serves blue: ",
		"fail AZ outage moves traffic to az2: Expected 1 / to equal 2",
		"skip VPC routing isolates tenants: machine lacks ebpf",
		"broken etcd keeps serving: ginkgo says pending",
		"broken etcd survives: boom",
		"fail BeforeSuite: no sandbox",
		"pass x: ",
		"broken focused: Detected Programmatic Focus / 1 specs ran",
		"broken empty: 0 specs ran",
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
	if rs[1].Rerun != "focus AZ outage moves traffic to az2" || rs[1].Evidence[0] != "failover_test.go:42" || len(rs[1].Story) != 3 || rs[1].Story[0] != "region up: 4.9s" || rs[0].Took == 0 {
		t.Errorf("failure: %+v", rs[1])
	}
}

func TestScenarioThatPassedKeepsWhatItMeasured(t *testing.T) {
	f, err := os.Open("testdata/ginkgo.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rs, err := Scenarios(f, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(rs[0].Story, "|"), "recovered: 1.42s|  (limit 15s)|edits: 20|bare"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestUnreadableScenarioReportIsAnError(t *testing.T) {
	for _, s := range []string{"", "[]", "{", "[{]"} {
		if rs, err := Scenarios(strings.NewReader(s), nil); err == nil {
			t.Errorf("%q: got %v and no error", s, rs)
		}
	}
}

func TestUnknownGinkgoStateIsNotAPass(t *testing.T) {
	if s := ginkgoState("splendid"); s.Counts() != spec.Failed {
		t.Errorf("got %s", s)
	}
}
