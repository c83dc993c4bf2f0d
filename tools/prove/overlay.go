package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// patched copies the files a mutant changes into dir, applies the patch there
// and returns the map from file (relative to the root) to its changed copy.
func patched(ctx context.Context, root, dir string, m Mutant) (map[string]string, error) {
	out := map[string]string{}
	for _, f := range m.Files {
		b, err := os.ReadFile(filepath.Join(root, f))
		if err != nil {
			return nil, fmt.Errorf("read what the patch changes: %w", err)
		}
		to := filepath.Join(dir, f)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(to, b, 0o644); err != nil {
			return nil, err
		}
		out[f] = to
	}
	file := filepath.Join(dir, "mutant.patch")
	if err := os.WriteFile(file, m.Patch, 0o644); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "git", "apply", "--whitespace=nowarn", file)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir), "GIT_DIR="+filepath.Join(dir, "none"))
	if b, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("the patch does not apply; write it anew against today's sources: %s", strings.TrimSpace(string(b)))
	}
	return out, nil
}

// overlay writes, below dir, the file that shows a build the mutant's sources in
// the place of the good ones, and returns its path.
func overlay(ctx context.Context, root, mutants, dir string, m Mutant) (string, error) {
	src := filepath.Join(dir, "src")
	if err := os.MkdirAll(src, 0o755); err != nil {
		return "", err
	}
	changed, err := patched(ctx, root, src, m)
	if err != nil {
		return "", err
	}
	for _, f := range m.Replace {
		changed[f] = filepath.Join(mutants, m.Name, filepath.Base(f))
		if _, err := os.Stat(changed[f]); err != nil {
			return "", fmt.Errorf("replace %s: %w", f, err)
		}
	}
	all := struct{ Replace map[string]string }{map[string]string{}}
	for f, to := range changed {
		all.Replace[filepath.Join(root, f)] = to
	}
	b, err := json.Marshal(all)
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	return file, os.WriteFile(file, b, 0o644)
}

// build makes the mutant's binary in a folder that otherwise holds links to
// the good binaries, and returns the folder.
func build(ctx context.Context, root, bin, mutants, dir string, m Mutant) (string, error) {
	file, err := overlay(ctx, root, mutants, dir, m)
	if err != nil {
		return "", err
	}
	into := filepath.Join(dir, "bin")
	if err := link(bin, into, m.Build); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-overlay", file, "-o", filepath.Join(into, m.Build), "./cmd/"+m.Build)
	cmd.Dir = root
	if b, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w: %s", m.Build, err, b)
	}
	return into, nil
}

// link fills into with links to every file of bin but one.
func link(bin, into, but string) error {
	if err := os.MkdirAll(into, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(bin)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == but || e.IsDir() {
			continue
		}
		if err := os.Symlink(filepath.Join(bin, e.Name()), filepath.Join(into, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
