package labenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/conformance/report"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/conformance/suite"
)

// rerunScenario is what to paste into a shell to run one scenario again.
func (o Options) rerunScenario(title string) string {
	words := []string{"UNILB_BIN=" + shellQuote(o.BinDir)}
	for _, v := range o.asked().env() {
		if name, value, _ := strings.Cut(v, "="); value != "" {
			words = append(words, name+"="+shellQuote(value))
		}
	}
	return strings.Join(append(words, shellQuote(o.Scenarios), "--ginkgo.focus", shellQuote(regexp.QuoteMeta(title)+"$")), " ")
}

// shellQuote makes one word of a text, for any POSIX shell.
func shellQuote(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plainInShell(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// shellLine makes a line of words, for any POSIX shell.
func shellLine(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = shellQuote(w)
	}
	return strings.Join(quoted, " ")
}

func plainInShell(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-=,:+", r)
}

// interruptible lets a command clean up when its context ends.
func interruptible(cmd *exec.Cmd) {
	cmd.Cancel = func() error { return cmd.Process.Signal(unix.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
}

// runScenarios runs the compiled scenarios with the gateway that is judged, and reads
// their report.
func runScenarios(ctx context.Context, o Options) ([]spec.Result, error) {
	file := filepath.Join(o.Out, "scenarios.json")
	cmd := exec.CommandContext(ctx, o.Scenarios, "--ginkgo.json-report="+file, "--ginkgo.randomize-all", "--ginkgo.fail-on-empty", "--ginkgo.fail-on-pending",
		"--ginkgo.timeout=20m", "--ginkgo.poll-progress-after=60s", "--ginkgo.v")
	cmd.Env = append(append(os.Environ(), "UNILB_BIN="+o.BinDir, "UNILB_EVIDENCE="+filepath.Join(o.Out, "evidence")), o.asked().env()...)
	log, err := os.Create(filepath.Join(o.Out, "scenarios.log"))
	if err != nil {
		return nil, fmt.Errorf("scenarios: %w", err)
	}
	defer func() { _ = log.Close() }() // a log that is cut is still a log
	cmd.Stdout, cmd.Stderr = log, log
	interruptible(cmd)
	fmt.Fprintf(o.Stderr, "scenarios: %s with %s, a few minutes in silence; log in %s\n", filepath.Base(o.Scenarios), o.Gateway, log.Name())
	runErr := cmd.Run() // its results say more than its exit code, if there are any
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("scenarios left no report: %w", errors.Join(runErr, err))
	}
	defer f.Close()
	results, err := suite.Scenarios(f, o.rerunScenario)
	if err != nil {
		return nil, err
	}
	bad := false
	for _, r := range results {
		fmt.Fprintln(o.Stderr, report.Line(r))
		bad = bad || r.State.Counts() == spec.Failed
	}
	if runErr != nil && !bad {
		return results, fmt.Errorf("scenarios ended badly although each of them passed: %w", runErr)
	}
	return results, nil
}
