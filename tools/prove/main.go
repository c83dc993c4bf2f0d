// Command prove builds each known-bad gateway, agent or control plane of
// conformance/mutants, or of the track record in scenarios/record, and lets the
// suite judge it. A mutant that the named case or scenario does not catch is a
// hole in the suite, and prove fails.
// The sources are never touched: patches are applied to copies, which the
// build sees through Go's -overlay.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	bin := flag.String("bin", "bin", "folder with the good binaries and scenarios.test")
	dir := flag.String("mutants", "conformance/mutants", "folder with the patches")
	only := flag.String("only", "", "run mutants whose name contains this")
	some := flag.Int("some", 0, "run so many mutants, others each turn; 0: all")
	turn := flag.Int("turn", 0, "whose turn it is, with -some: any number that grows")
	generate := flag.Bool("generate", false, "rebuild the objects of eBPF mutants and end")
	page := flag.String("page", "", "write the page of the track record that -mutants holds to this file and end")
	check := flag.Bool("check", false, "with -page: change nothing, fail when the page is out of date")
	flag.Parse()
	if *page != "" {
		if err := record(os.DirFS(*dir), *page, *check); err != nil {
			fmt.Fprintln(os.Stderr, "prove:", err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *bin, *dir, choice{*only, *some, *turn}, *generate); err != nil {
		fmt.Fprintln(os.Stderr, "prove:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, bin, dir string, which choice, generate bool) error {
	root, err := filepath.Abs(".")
	if err != nil {
		return err
	}
	if bin, err = filepath.Abs(bin); err != nil {
		return err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	mutants, err := ReadMutants(os.DirFS(dir))
	if err != nil {
		return err
	}
	var caught, missed int
	for _, m := range which.of(mutants) {
		if generate {
			if err := regenerate(ctx, root, dir, m); err != nil {
				return fmt.Errorf("%s: %w", m.Name, err)
			}
			continue
		}
		start := time.Now()
		says, err := prove(ctx, root, bin, dir, m)
		took := time.Since(start).Round(100 * time.Millisecond)
		if err != nil {
			missed++
			fmt.Printf("missed  %-28s %s: %v (%s)\n", m.Name, m.Title, err, took)
			continue
		}
		caught++
		fmt.Printf("caught  %-28s %s\n        by %s: %s (%s)\n", m.Name, m.Title, m.Catch, says, took)
		if len(m.Also) > 0 {
			fmt.Printf("        and by %s\n", strings.Join(m.Also, ", "))
		}
	}
	if generate {
		return nil
	}
	fmt.Printf("%d passed, %d failed, 0 skipped\n", caught, missed)
	if missed > 0 || caught == 0 {
		return fmt.Errorf("%d of %d mutants were not caught", missed, caught+missed)
	}
	return nil
}

// prove builds one mutant and has it judged; says is what the catcher said.
func prove(ctx context.Context, root, bin, mutants string, m Mutant) (says string, err error) {
	tmp, err := os.MkdirTemp("", "prove-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	ctx, cancel := context.WithTimeout(ctx, proofTime)
	defer cancel()
	if m.Catch.Kind == "test" {
		file, err := overlay(ctx, root, mutants, tmp, m)
		if err != nil {
			return "", err
		}
		return judgeByTest(ctx, root, file, m.Catch.Name, m.Says)
	}
	bad, err := build(ctx, root, bin, mutants, tmp, m)
	if err != nil {
		return "", err
	}
	for _, id := range m.Also {
		if _, err := judgeByCase(ctx, bad, m.Gateway, filepath.Join(tmp, "out-"+id), id, ""); err != nil {
			return "", err
		}
	}
	switch m.Catch.Kind {
	case "case":
		return judgeByCase(ctx, bad, m.Gateway, filepath.Join(tmp, "out"), m.Catch.Name, m.Says)
	case "incident":
		return judgeByIncident(ctx, bad, filepath.Join(tmp, "runs"), m.Catch.Name, m.Says)
	}
	return judgeByScenario(ctx, bad, filepath.Join(tmp, "report.json"), m.Catch.Name, m.Says)
}

// proofTime is how long one mutant may take, all that must catch it included.
const proofTime = 8 * time.Minute
