package bundle

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// Pack writes the directory, with everything below it, as one tar that zstd has
// compressed. The files are in the order of their names, below the name of the run,
// and belong to nobody: equal directories give equal packs. It returns how many
// files there are. What is neither a file nor a directory is an error.
func (b *Bundle) Pack(w io.Writer) (files int, err error) {
	z, err := zstd.NewWriter(w, zstd.WithEncoderCRC(true), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return 0, fmt.Errorf("pack %s: %w", b.Name(), err)
	}
	out := tar.NewWriter(z)
	err = filepath.WalkDir(b.Dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(b.Dir, p)
		if err != nil {
			return err
		}
		name := path.Join(filepath.ToSlash(b.Name()), filepath.ToSlash(rel))
		switch {
		case d.IsDir():
			return out.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755, Format: tar.FormatPAX})
		case d.Type().IsRegular():
			files++
			return packFile(out, p, name)
		default:
			return fmt.Errorf("%s is neither a file nor a directory", rel)
		}
	})
	if err = errors.Join(err, out.Close(), z.Close()); err != nil {
		return files, fmt.Errorf("pack %s: %w", b.Name(), err)
	}
	return files, nil
}

func packFile(out *tar.Writer, from, name string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: st.Size(), ModTime: st.ModTime(), Format: tar.FormatPAX}
	if err := out.WriteHeader(h); err != nil {
		return err
	}
	// A log that still grows is packed as long as it was.
	_, err = io.CopyN(out, f, st.Size())
	return err
}
