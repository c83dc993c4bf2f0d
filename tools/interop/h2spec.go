package main

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

const (
	h2specPath    = "github.com/summerwind/h2spec/cmd/h2spec"
	h2specVersion = "v2.2.1+incompatible"
	// h2specTests is how many it has: a run that lost some has proved nothing.
	h2specTests = 145
)

type h2spec struct{ bin, out string }

// installH2spec builds the judge from the module proxy.
func installH2spec(ctx context.Context, out string) (*h2spec, error) {
	if err := install(ctx, out, h2specVersion, h2specPath); err != nil {
		return nil, err
	}
	return &h2spec{filepath.Join(out, "h2spec"), out}, nil
}

// judge runs all its tests against a port of the gateway.
func (h *h2spec) judge(ctx context.Context, gw *gateway, secure bool) (Result, error) {
	suite, port, args := "h2spec-h2c", gw.plain, []string{"-h", "127.0.0.1"}
	if secure {
		suite, port, args = "h2spec-tls", gw.secure, []string{"-h", serverName, "-t", "-k"}
	}
	file := filepath.Join(h.out, suite+".xml")
	const patience = "5" // seconds that it waits for an answer
	cmd := exec.CommandContext(ctx, h.bin, append(args, "-p", strconv.Itoa(port), "-o", patience, "-j", file)...)
	log, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) { // it ends with 1 when a test fails
		return Result{}, fmt.Errorf("run h2spec: %w", err)
	}
	if err := os.WriteFile(filepath.Join(h.out, suite+".log"), log, 0o644); err != nil {
		return Result{}, err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return Result{}, fmt.Errorf("h2spec has written no report: %w\n%s", err, log)
	}
	r, err := readJUnit(b)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", file, err)
	}
	if r.Total < h2specTests {
		return Result{}, fmt.Errorf("%s: %d tests, want at least %d", suite, r.Total, h2specTests)
	}
	r.Suite, r.Version = suite, h2specVersion
	return r, nil
}

// readJUnit counts what a report in JUnit's form says. A test that was skipped has
// not passed.
func readJUnit(b []byte) (Result, error) {
	var doc struct {
		Suites []struct {
			Package string `xml:"package,attr"`
			Cases   []struct {
				Name    string    `xml:"classname,attr"`
				Failure *struct{} `xml:"failure"`
				Error   *struct{} `xml:"error"`
				Skipped *struct{} `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(b, &doc); err != nil {
		return Result{}, err
	}
	var r Result
	for _, s := range doc.Suites {
		for _, c := range s.Cases {
			r.Total++
			if c.Failure == nil && c.Error == nil && c.Skipped == nil {
				r.Passed++
				continue
			}
			r.Failed = append(r.Failed, s.Package+": "+c.Name)
		}
	}
	return r, nil
}
