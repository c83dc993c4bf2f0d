package flake

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

// Limits of a ledger, in bytes.
const (
	MaxLedgerBytes = 64 << 20
	maxRecord      = 1 << 16
)

// LedgerFile is the ledger of a directory of reports.
const LedgerFile = "flakes.ndjson"

// A Build is what must be the same for two runs of a case to be comparable.
type Build struct {
	Gateway  string `json:"gateway"`
	Binary   string `json:"binary"`             // digest
	Cases    string `json:"cases"`              // digest of the list
	Topology string `json:"topology,omitempty"` // digest
}

// A Record is a line of a ledger: how a case ended in one run of the suite.
type Record struct {
	At time.Time `json:"at"`
	Build
	Case   string     `json:"case"`
	Runs   int        `json:"runs"`   // that decided something
	Passed int        `json:"passed"` // of these
	State  spec.State `json:"state"`  // the worst
}

// Records are what a ledger should keep of results. Cases that were not run, and
// those that somebody interrupted, say nothing about how reliable they are.
func Records(at time.Time, b Build, results []spec.Result) []Record {
	var out []Record
	for _, r := range results {
		state := r.State
		if r.Challenge != "" {
			state = r.Challenge
		}
		interrupted := r.Reason != nil && r.Reason.Code == spec.Interrupted
		if state.Counts() == spec.Skipped || state == spec.Unproven || interrupted {
			continue
		}
		x := Record{At: at.UTC(), Build: b, Case: r.Case, Runs: max(r.Runs, 1), Passed: r.Passed, State: state}
		if r.Runs == 0 && state == spec.Pass {
			x.Passed = 1
		}
		out = append(out, x)
	}
	return out
}

// Append adds records to a ledger, with one write: runs at the same time do not
// tear each other's lines.
func Append(path string, records []Record) error {
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	for _, r := range records {
		if err := enc.Encode(r); err != nil {
			return fmt.Errorf("add to ledger: %w", err)
		}
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("add to ledger: %w", err)
	}
	_, err = f.Write(lines.Bytes())
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("add to ledger %s: %w", path, err)
	}
	return nil
}

// Read reads a ledger; name is what errors call it.
func Read(name string, r io.Reader) ([]Record, error) {
	limited := &io.LimitedReader{R: r, N: MaxLedgerBytes + 1}
	s := bufio.NewScanner(limited)
	s.Buffer(nil, maxRecord)
	var out []Record
	n := 0
	for s.Scan() {
		n++
		var x Record
		dec := json.NewDecoder(bytes.NewReader(s.Bytes()))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&x); err != nil {
			return nil, fmt.Errorf("%s:%d: not a record of a ledger: %w", name, n, err)
		}
		if x.Case == "" || x.Passed < 0 || x.Passed > x.Runs {
			return nil, fmt.Errorf("%s:%d: %d of %d runs of case %q passed: not a record of a ledger", name, n, x.Passed, x.Runs, x.Case)
		}
		out = append(out, x)
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", name, n+1, err)
	}
	if limited.N <= 0 {
		return nil, fmt.Errorf("%s: larger than %d bytes; begin another", name, MaxLedgerBytes)
	}
	return out, nil
}
