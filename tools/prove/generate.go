package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// regenerate compiles an eBPF mutant's object anew with the very go:generate
// line that makes the good one, run on a patched copy of its folder.
func regenerate(ctx context.Context, root, mutants string, m Mutant) error {
	for _, object := range m.Replace {
		folder := filepath.Dir(object)
		tmp, err := os.MkdirTemp("", "prove-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(tmp)
		if err := os.CopyFS(filepath.Join(tmp, folder), os.DirFS(filepath.Join(root, folder))); err != nil {
			return err
		}
		if _, err := patched(ctx, root, tmp, m); err != nil {
			return err
		}
		for _, f := range []string{"go.mod", "go.sum"} {
			b, err := os.ReadFile(filepath.Join(root, f))
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(tmp, f), b, 0o644); err != nil {
				return err
			}
		}
		cmd := exec.CommandContext(ctx, "go", "generate", "./"+folder)
		cmd.Dir = tmp
		if b, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("compile %s: %w: %s", object, err, b)
		}
		b, err := os.ReadFile(filepath.Join(tmp, object))
		if err != nil {
			return err
		}
		to := filepath.Join(mutants, m.Name, filepath.Base(object))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, b, 0o644); err != nil {
			return err
		}
	}
	return nil
}
