package compare

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/conformance/report"
	"github.com/unilb/unilb/conformance/spec"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func side(binary string) Side {
	return Side{
		Given: "/b/" + binary, Gateway: report.Gateway{Name: "gw", Version: "v1", Binary: "sha256:" + strings.Repeat(binary, 16)}, Suite: report.Suite{Version: "0.1.0", Cases: "sha256:1"},
		Run: report.Run{Topology: "hello", TopologyDigest: "sha256:2", Seed: 42}, Machine: report.Machine{Arch: "amd64", CPUs: 2, Has: []spec.Capability{spec.NetNS}},
	}
}

func example() *Comparison {
	return &Comparison{
		Base: side("aa"), Head: side("bb"), Started: time.Unix(0, 0).UTC(), Cases: 9,
		Differences: []Difference{
			{Kind: Fixed, Meaning: Outcome, Cases: []string{"RETRY-POST"}, Base: "fail", Head: "pass", Says: []string{"it was repeated"}},
			{Kind: Changed, Meaning: Header, Cases: []string{"A-ONE"}, What: "header of the answer: server", Base: "gw/1", Head: "gw/2", Asked: "GET /"},
			{Kind: Changed, Meaning: Header, Cases: []string{"A-TWO"}, What: "header of the answer: server", Base: "gw/1", Head: "gw/2", Asked: "GET /"},
			{Kind: Regressed, Meaning: Outcome, Cases: []string{"RELOAD-SLOW"}, Base: "pass", Head: "fail", Says: []string{"2 of 30 were reset", "status: 200 -> 502"}},
			{Kind: Lost, Meaning: Outcome, Cases: []string{"VPC-PMTU"}, Base: "pass", Head: "skip", Says: []string{"machine lacks [ebpf]"}},
		},
		Figures: Figures(pairsOf(1, 7, 1.2, 0.02)),
		Used:    []Use{{Name: "CPU", Base: "1.00s", Head: "1.20s", Ratio: 1.2}},
	}
}

const allowText = `allow: v1
differences:
  - name: new version
    case: A-*
    meaning: header
    match: 'server: gw/1 -> gw/2$'
    reason: release 2
    expires: 2030-01-01
  - name: gone for long
    meaning: status
    reason: nobody knows
    expires: 2030-01-01
`

func TestComparisonReadsLikeThis(t *testing.T) {
	allow, err := DecodeAllow("allow.yaml", []byte(allowText), ids, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	c := example()
	c.Fill(allow)
	var b strings.Builder
	if err := c.Text(&b); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := c.Write(dir); err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{"comparison.txt": b.String(), YAMLFile: read(t, filepath.Join(dir, YAMLFile)), HTMLFile: read(t, filepath.Join(dir, HTMLFile))} {
		golden := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want := read(t, golden); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
	if c.Exit() != 1 || len(c.Unused) != 1 || c.Counts()[Changed] != 0 {
		t.Errorf("exit %d, unused %q, counts %v", c.Exit(), c.Unused, c.Counts())
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestVerdictFollowsFromWhatNobodyAccepted(t *testing.T) {
	for name, c := range map[string]struct {
		c    Comparison
		want int
	}{
		"nothing compared":   {Comparison{}, 2},
		"no difference":      {Comparison{Cases: 1}, 0},
		"only scenarios":     {Comparison{Scenarios: 1}, 0},
		"fixed":              {Comparison{Cases: 1, Differences: []Difference{{Kind: Fixed}}}, 0},
		"changed":            {Comparison{Cases: 1, Differences: []Difference{{Kind: Changed, Meaning: Header, Cases: []string{"A"}}}}, 1},
		"lost":               {Comparison{Cases: 1, Differences: []Difference{{Kind: Lost, Cases: []string{"A"}}}}, 1},
		"unsteady":           {Comparison{Cases: 1, Differences: []Difference{{Kind: Unsteady, Cases: []string{"A"}}}}, 2},
		"unsteady and lost":  {Comparison{Cases: 1, Differences: []Difference{{Kind: Unsteady, Cases: []string{"A"}}, {Kind: Lost, Cases: []string{"B"}}}}, 1},
		"a problem":          {Comparison{Cases: 1, Problems: []string{"x"}}, 2},
		"in quarantine":      {Comparison{Cases: 1, Differences: []Difference{{Kind: Regressed, Cases: []string{"A"}, Allowed: "the quarantine"}}}, 0},
		"slower":             {Comparison{Cases: 1, Figures: Figures(pairsOf(1, 7, 1.2, 0.02))}, 1},
		"loads lose some":    {Comparison{Cases: 1, Pairs: []Pair{{Head: Sample{Failed: 1}}, {Head: Sample{Failed: 9}}}}, 1},
		"a load loses some":  {Comparison{Cases: 1, Pairs: []Pair{{Head: Sample{Failed: 1}}, {}}}, 2},
		"one pair of loads":  {Comparison{Cases: 1, Pairs: []Pair{{Head: Sample{Failed: 1}}}}, 2},
		"loads of both":      {Comparison{Cases: 1, Pairs: []Pair{{Base: Sample{Failed: 1}, Head: Sample{Failed: 1}}, {Base: Sample{Failed: 1}, Head: Sample{Failed: 1}}}}, 2},
		"loads lose no more": {Comparison{Cases: 1, Pairs: []Pair{{Base: Sample{Failed: 1}}, {Base: Sample{Failed: 1}}}}, 0},
	} {
		c.c.Fill(nil)
		if got := c.c.Exit(); got != c.want {
			t.Errorf("%s: got exit %d (%s), want %d", name, got, c.c.Summary(), c.want)
		}
	}
}

// ids are of the cases that allow-lists in tests speak of.
var ids = []string{"A-ONE", "A-TWO", "B-ONE"}

func TestAllowListsAreStrict(t *testing.T) {
	now := time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct{ text, want string }{
		"expired":      {allowText, `allow.yaml:8:14: "new version" (A-*, header: release 2) expired on 2030-01-01`},
		"unknown key":  {strings.Replace(allowText, "reason: release 2", "raeson: x", 1), `unknown key "raeson"`},
		"bad meaning":  {strings.Replace(allowText, "meaning: header", "meaning: heading", 1), "allow.yaml:5:14"},
		"no reason":    {strings.Replace(allowText, "    reason: release 2\n", "", 1), "reason"},
		"bad pattern":  {strings.Replace(allowText, "'server: gw/1 -> gw/2$'", "'('", 1), "missing closing )"},
		"bad case":     {strings.Replace(allowText, "case: A-*", "case: '['", 1), "case pattern"},
		"no such case": {strings.Replace(allowText, "case: A-*", "case: AONE", 1), `no case has the id "AONE" (did you mean "A-ONE"?)`},
		"name twice":   {strings.Replace(allowText, "gone for long", "new version", 1), `"new version" is here already`},
		"not a day":    {strings.Replace(allowText, "expires: 2030-01-01", "expires: soon", 1), "want a day such as 2026-03-02"},
		"not our file": {"quarantine: v1\n", "quarantine"},
	} {
		if _, err := DecodeAllow("allow.yaml", []byte(c.text), ids, now); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	// Holds to the end of its last day.
	if _, err := DecodeAllow("allow.yaml", []byte(allowText), ids, now.Add(-time.Second)); err != nil {
		t.Errorf("on its last day: %v", err)
	}
}

func TestAnAllowListAcceptsOnlyWhatItNames(t *testing.T) {
	allow, err := DecodeAllow("allow.yaml", []byte(allowText), ids, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	c := &Comparison{Cases: 3, Differences: []Difference{
		{Kind: Changed, Meaning: Header, Cases: []string{"A-ONE", "B-ONE"}, What: "header of the answer: server", Base: "gw/1", Head: "gw/2"},
		{Kind: Changed, Meaning: Header, Cases: []string{"A-ONE"}, What: "header of the answer: server", Base: "gw/1", Head: "gw/3"},
		{Kind: Changed, Meaning: Body, Cases: []string{"A-ONE"}, What: "server", Base: "gw/1", Head: "gw/2"},
	}}
	c.Fill(allow)
	var left []string
	for _, d := range c.Differences {
		if d.Allowed == "" {
			left = append(left, string(d.Meaning)+" "+strings.Join(d.Cases, ",")+" "+d.Head)
		}
	}
	if got, want := strings.Join(left, "; "), "header B-ONE gw/2; header A-ONE gw/3; body A-ONE gw/2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if c.Exit() != 1 {
		t.Errorf("got exit %d, want 1", c.Exit())
	}
	c = &Comparison{Cases: 3, Differences: []Difference{{Kind: Changed, Meaning: Header, Cases: []string{"A-ONE"}, What: "header of the answer: server", Base: "gw/1", Head: "gw/2"}}}
	if c.Fill(allow); c.Exit() != 0 {
		t.Errorf("all is accepted: got exit %d, want 0", c.Exit())
	}
}

func TestOtherMachinesAndTopologiesAreUndecidedUnlessAsked(t *testing.T) {
	for name, change := range map[string]func(*Side){
		"topology": func(s *Side) { s.Run.TopologyDigest = "sha256:3" },
		"machine":  func(s *Side) { s.Machine.CPUs = 64 },
	} {
		for _, across := range []bool{false, true} {
			c := &Comparison{Base: side("aa"), Head: side("bb"), Cases: 1}
			change(&c.Head)
			c.Comparable(across)
			c.Fill(nil)
			if want := map[bool]int{false: 2, true: 0}[across]; c.Exit() != want || len(c.Notes)+len(c.Problems) != 1 {
				t.Errorf("other %s, across %v: got exit %d, notes %q, problems %q, want %d", name, across, c.Exit(), c.Notes, c.Problems, want)
			}
		}
	}
	c := &Comparison{Base: side("aa"), Head: side("bb"), Cases: 1}
	c.Head.Suite.Cases = "sha256:9"
	c.Comparable(false)
	if c.Fill(nil); c.Exit() != 0 || len(c.Notes) != 1 {
		t.Errorf("other cases: got exit %d, notes %q", c.Exit(), c.Notes)
	}
}
