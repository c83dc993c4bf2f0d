package labenv

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/sandbox"
)

func TestMachineThatCanRunNothingOfWhatWasAskedForIsNamed(t *testing.T) {
	without := func(lack string) *lab.Unavailable {
		return missing(func(c string) error {
			if c == lack {
				return errors.New("operation not permitted")
			}
			return nil
		})
	}
	region, plain := spec.Case{ID: "A-REGION", Env: []spec.Capability{spec.Region}}, spec.Case{ID: "A-PLAIN"}
	noEBPF := without(sandbox.CapEBPF)
	for name, c := range map[string]struct {
		scenarios bool
		lacks     *lab.Unavailable
		selected  []spec.Case
		want      string
	}{
		"everything there":          {false, without(""), []spec.Case{region}, ""},
		"some cases can run":        {false, noEBPF, []spec.Case{region, plain}, ""},
		"no case can run":           {false, noEBPF, []spec.Case{region}, "every case"},
		"scenarios":                 {true, noEBPF, []spec.Case{plain}, "scenarios: "},
		"scenarios without devices": {true, without(sandbox.CapTUN), []spec.Case{plain}, "needs tun"},
	} {
		err := possible(c.scenarios, c.lacks, c.selected)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: got %v", name, err)
			}
			continue
		}
		var cannot *lab.Unavailable
		if !errors.As(err, &cannot) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "what still works: ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want one line with %q and what still works", name, err, c.want)
		}
	}
}

func TestMissingBinariesAreFoundBeforeAnEarlierReportIsRemoved(t *testing.T) {
	out := t.TempDir()
	old := filepath.Join(out, "report.yaml")
	if err := os.WriteFile(old, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	code, err := Run(t.Context(), Options{BinDir: "/nonexist", Topology: "hello", Out: out})
	var missing *lab.MissingBinaries
	if code != ExitBadInput || !errors.As(err, &missing) || !strings.Contains(err.Error(), "l7gw") {
		t.Errorf("got %d, %v, want %d and the names of the binaries", code, err, ExitBadInput)
	}
	if code, err := Run(t.Context(), Options{BinDir: "/nonexist", Topology: "hallo", Out: out}); code != ExitBadInput || err == nil {
		t.Errorf("unknown topology: got %d, %v", code, err)
	}
	if _, err := os.Stat(old); err != nil {
		t.Errorf("the earlier report is gone: %v", err)
	}
}
