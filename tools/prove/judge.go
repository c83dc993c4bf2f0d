package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
)

// judgeByCase runs one conformance case against the binaries in bin. Only a
// case that is not met counts: a harness that broke proves nothing.
func judgeByCase(ctx context.Context, bin, gateway, out, id, says string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "lbsim"), "conform", "--gateway", gateway, "--bin", bin, "--case", id, "--out", out)
	log, _ := cmd.CombinedOutput() // the verdict is in the report, not in the exit code
	b, err := os.ReadFile(filepath.Join(out, "report.yaml"))
	if err != nil {
		return "", fmt.Errorf("no report: %w\n%s", err, tail(log))
	}
	var report struct {
		Cases []struct {
			ID    string   `yaml:"id"`
			State string   `yaml:"state"`
			Says  []string `yaml:"says"`
		} `yaml:"cases"`
	}
	if err := yaml.Unmarshal(b, &report); err != nil {
		return "", fmt.Errorf("read the report: %w", err)
	}
	for _, c := range report.Cases {
		if c.ID != id {
			continue
		}
		if c.State == "fail" || c.State == "warn" { // a Should that is not met warns
			for _, line := range c.Says {
				if strings.Contains(line, says) {
					return first(line), nil
				}
			}
			return "", fmt.Errorf("%s failed without saying %q: %s", id, says, first(strings.Join(c.Says, "\n")))
		}
		return "", fmt.Errorf("%s ended as %q, want fail or warn: %s", id, c.State, first(strings.Join(c.Says, "\n")))
	}
	return "", fmt.Errorf("the report has no case %s", id)
}

// judgeByScenario runs the scenarios whose text contains the given one. One of
// them must fail and say what is expected.
func judgeByScenario(ctx context.Context, bin, report, text, says string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "scenarios.test"),
		"--ginkgo.focus", regexp.QuoteMeta(text), "--ginkgo.fail-on-empty", "--ginkgo.json-report", report)
	cmd.Env = append(os.Environ(), "UNILB_BIN="+bin)
	log, _ := cmd.CombinedOutput()
	b, err := os.ReadFile(report)
	if err != nil {
		return "", fmt.Errorf("no report: %w\n%s", err, tail(log))
	}
	var suites []struct {
		SpecReports []struct {
			LeafNodeText string
			State        string
			Failure      struct{ Message string }
		}
	}
	if err := json.Unmarshal(b, &suites); err != nil {
		return "", fmt.Errorf("read the report: %w", err)
	}
	for _, s := range suites {
		for _, spec := range s.SpecReports {
			if spec.State != "failed" {
				continue
			}
			for line := range strings.Lines(spec.Failure.Message) {
				if strings.Contains(line, says) {
					return first(line), nil
				}
			}
			return "", fmt.Errorf("it failed without saying %q: %s", says, first(spec.Failure.Message))
		}
	}
	return "", fmt.Errorf("no scenario with %q failed\n%s", text, tail(log))
}

// judgeByIncident runs an incident that comes with the testbed. It must end wrong,
// with a verdict or a step that says what is expected.
func judgeByIncident(ctx context.Context, bin, runs, name, says string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "lbsim"), "run", name, "--bin", bin, "--runs", runs)
	log, _ := cmd.CombinedOutput() // the verdict is in the run, not in the exit code
	b, err := os.ReadFile(filepath.Join(runs, "latest", "verdict.yaml"))
	if err != nil {
		return "", fmt.Errorf("no verdict: %w\n%s", err, tail(log))
	}
	var v struct {
		Result   string `yaml:"result"`
		Failed   string `yaml:"failed"`
		Verdicts []struct {
			Check    string `yaml:"check"`
			State    string `yaml:"state"`
			Summary  string `yaml:"summary"`
			Evidence []struct {
				Op   string `yaml:"op"`
				Text string `yaml:"text"`
			} `yaml:"evidence"`
		} `yaml:"verdicts"`
	}
	if err := yaml.Unmarshal(b, &v); err != nil {
		return "", fmt.Errorf("read the verdict: %w", err)
	}
	if v.Result != "wrong" {
		return "", fmt.Errorf("the run ended as %q, want wrong\n%s", v.Result, tail(log))
	}
	said := []string{v.Failed}
	for _, c := range v.Verdicts {
		if c.State == "invalid" && len(c.Evidence) > 0 {
			said = append(said, fmt.Sprintf("%s: %s; op %s: %s", c.Check, c.Summary, c.Evidence[0].Op, c.Evidence[0].Text))
		}
	}
	for _, line := range said {
		if strings.Contains(line, says) {
			return first(line), nil
		}
	}
	return "", fmt.Errorf("it is wrong without saying %q: %s", says, first(strings.Join(said, "\n")))
}

// testPattern chooses one test, or by Test/name one part of it.
func testPattern(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	return strings.Join(parts, "/")
}

// judgeByTest runs one unit test, "PACKAGE NAME", against the mutant's sources. The
// test itself must fail: sources that do not build prove nothing.
func judgeByTest(ctx context.Context, root, overlay, name, says string) (string, error) {
	pkg, test, ok := strings.Cut(name, " ")
	if !ok {
		return "", fmt.Errorf("want 'test PACKAGE NAME', got %q", name)
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-v", "-overlay", overlay, "-run", testPattern(test), pkg)
	cmd.Dir = root
	log, err := cmd.CombinedOutput()
	switch {
	case err == nil && !strings.Contains(string(log), "--- PASS: "+test):
		return "", fmt.Errorf("there is no test %s in %s\n%s", test, pkg, tail(log))
	case err == nil:
		return "", fmt.Errorf("%s passes", test)
	case !strings.Contains(string(log), "--- FAIL: "+test):
		return "", fmt.Errorf("%s did not run: %w\n%s", test, err, tail(log))
	}
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, says) && !strings.HasPrefix(line, "=== ") {
			return first(line), nil
		}
	}
	return "", fmt.Errorf("%s failed without saying %q\n%s", test, says, tail(log))
}

// first is the first line that says something, cut to a screen's width.
func first(s string) string {
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			if len(line) > 160 {
				line = line[:160] + "…"
			}
			return line
		}
	}
	return ""
}

// tail is the end of a log.
func tail(b []byte) string {
	const max = 4 << 10
	if len(b) > max {
		b = b[len(b)-max:]
	}
	return string(b)
}
