package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// install builds programs of one module from the module proxy, by the dependencies that
// the module names, into a folder.
func install(ctx context.Context, out, version string, paths ...string) error {
	args := []string{"install"}
	for _, p := range paths {
		args = append(args, p+"@"+version)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "GOBIN="+out, "GOFLAGS=")
	if log, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("install %s: %w\n%s", paths[0], err, log)
	}
	return nil
}
