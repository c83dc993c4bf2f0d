package labenv

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/conformance/cases"
	"github.com/unilb/unilb/conformance/flake"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/conformance/suite"
	"github.com/unilb/unilb/sim/sandbox"
)

// Exit codes of Run and Compare, as lbsim documents them.
const (
	ExitGood      = 0
	ExitWrong     = 1
	ExitUndecided = 2
	ExitBadInput  = 3
	ExitMachine   = 4
	ExitBroken    = 5
	// ExitInterrupted: somebody ended the run; nothing is left of it.
	ExitInterrupted = 130
)

// SuiteVersion is the version of the cases and of how they are judged.
const SuiteVersion = "0.2.0"

// MaxRepeat is the most times that the cases can be run in one lab.
const MaxRepeat = 1000

// Options of a run.
type Options struct {
	Gateway    string   // name of a driver, or path of a manifest; "l7gw" when empty
	Binary     string   // file to start in the place of the manifest's program; empty: that program
	Topology   string   // name in the library; empty: the manifest's, else two-az, or hello where the machine has no eBPF
	BinDir     string   // the systems under test; the directory of this program when empty
	Cases      []string // patterns of case ids; empty: all
	Profiles   []string // names; empty: all
	Core       bool     // only the cases of core features, which are the blocking part
	Challenge  bool     // run the cases of features that the gateway does not claim, too
	Repeat     int      // how often the cases are run in the same lab; once when 0
	Scenarios  string   // compiled scenarios (scenarios.test) to run as well; empty: none
	Out        string   // directory of the report; "out/conformance-" and the gateway's name when empty
	Require    []string // capabilities whose lack is a failure; $LBSIM_REQUIRE when nil
	Excluded   map[string]string
	Quarantine string    // file of cases that do not block; that of the suite when empty
	Ledger     string    // file that is told how each case ended; flakes.ndjson in Out when empty
	Command    []string  // words of how to run this again, for the report
	Stdout     io.Writer // results; os.Stdout when nil
	Stderr     io.Writer // progress; os.Stderr when nil

	caseLimit time.Duration // longest that a case may take, in tests whose gateway answers none; 0: as long as it says
}

func (o Options) filled() (Options, error) {
	if o.Gateway == "" {
		o.Gateway = "l7gw"
	}
	if o.Out == "" {
		name := strings.TrimSuffix(filepath.Base(o.Gateway), filepath.Ext(o.Gateway))
		o.Out = filepath.Join("out", "conformance-"+name)
	}
	if o.BinDir == "" {
		self, err := os.Executable()
		if err != nil {
			return o, fmt.Errorf("find the binaries: %w", err)
		}
		o.BinDir = filepath.Dir(self)
	}
	if o.Require == nil {
		o.Require = sandbox.Demanded()
	}
	if o.Stdout == nil {
		o.Stdout = os.Stdout
	}
	if o.Stderr == nil {
		o.Stderr = os.Stderr
	}
	var err error
	for _, path := range []*string{&o.Out, &o.BinDir, &o.Binary, &o.Scenarios} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return o, err
		}
	}
	return o, nil
}

// checked says what is wrong with the numbers, and with a ledger that nobody could
// add to when the run is over.
func (o Options) checked() error {
	if o.Repeat < 0 || o.Repeat > MaxRepeat {
		return fmt.Errorf("repeat %d times: want 1 to %d", o.Repeat, MaxRepeat)
	}
	if o.Ledger == "" {
		return nil
	}
	return flake.Append(o.Ledger, nil)
}

// cases are those that were asked for and those they build on, in the order in
// which they run.
func (o Options) cases() ([]spec.Case, error) {
	all := cases.All()
	chosen, err := suite.Choice{Patterns: o.Cases, Profiles: o.Profiles, Blocking: o.Core}.WithBase(all)
	switch {
	case err != nil:
		return nil, err
	case len(chosen) == 0:
		return nil, errors.New("no case is left by --case, --profile and --core together")
	}
	return suite.Order(chosen)
}

// again are the words of the command that runs one case again, without the case:
// elsewhere than this report, which the run would replace.
func (o Options) again() []string {
	words := append([]string{filepath.Join(o.BinDir, "lbsim"), "conform"}, o.asked().Flags()...)
	if o.Topology != "" {
		words = append(words, "--topology", o.Topology)
	}
	if o.Challenge {
		words = append(words, "--challenge")
	}
	return append(words, "--out", o.Out+"-again")
}

// rerun is what to paste into a shell to run one case again.
func (o upOrder) rerun(id string) string {
	return shellLine(append(slices.Clone(o.Rerun), "--case", id))
}
