package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unilb/unilb/sim/bundle"
)

func packCommand(out *output) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "pack [RUN]", Short: "Make one file of a run, for a ticket", Args: args(cobra.MaximumNArgs(1)),
		Long:              "Make one file of a run, with everything below its directory. Whoever unpacks it can show\nand judge the run: lbsim show DIRECTORY.",
		Example:           "  lbsim pack\n  lbsim pack az-loss --out ticket-7.tar.zst",
		ValidArgsFunction: onlyWords(first(runNames)),
	}
	root := runsFlag(cmd)
	cmd.Flags().StringVarP(&file, "out", "o", "", "file to write, which must not exist (default: named after the run)")
	cmd.RunE = func(_ *cobra.Command, a []string) error {
		b, err := findRun(*root, a)
		if err != nil {
			return err
		}
		if file == "" {
			file = strings.ReplaceAll(filepath.ToSlash(b.Name()), "/", "-") + ".tar.zst"
		}
		files, size, err := packTo(b, file)
		if err != nil {
			return err
		}
		if out.json {
			return out.object("pack", map[string]any{"file": file, "bytes": size, "files": files, "run": b.Name(), "dir": b.Dir})
		}
		_, err = fmt.Fprintf(out.to, "%s   %.1f MiB, %d files\n", file, float64(size)/(1<<20), files)
		return err
	}
	return cmd
}

// inside says whether a file would lie below a directory.
func inside(dir, file string) bool {
	var whole [2]string
	for i, path := range []string{dir, filepath.Dir(file)} {
		real, err := filepath.EvalSymlinks(path)
		if err == nil {
			whole[i], err = filepath.Abs(real)
		}
		if err != nil {
			return false // the file cannot be made there
		}
	}
	rel, err := filepath.Rel(whole[0], whole[1])
	return err == nil && filepath.IsLocal(rel)
}

func packTo(b *bundle.Bundle, path string) (files int, size int64, err error) {
	if inside(b.Dir, path) {
		return 0, 0, inputError(fmt.Errorf("%s would lie inside the run that it packs; name another place with --out", path))
	}
	f, err := newFile(path)
	if err != nil {
		return 0, 0, err
	}
	files, err = b.Pack(f)
	if st, serr := f.Stat(); serr == nil {
		size = st.Size()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(path) // it is ours, and useless
	}
	return files, size, err
}
