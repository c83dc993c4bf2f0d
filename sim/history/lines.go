package history

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// rows are the records of one kind on their way to a file or back.
type rows interface {
	write(io.Writer) (records int, err error)
	read(r io.Reader, path string, expect int) (records int, err error)
}

type table[R any] struct{ records *[]R }

func (t table[R]) write(w io.Writer) (int, error) {
	enc := json.NewEncoder(w)
	for i := range *t.records {
		if err := enc.Encode(&(*t.records)[i]); err != nil {
			return i, err
		}
	}
	return len(*t.records), nil
}

// read decodes one record a line. Empty lines do not count; unknown fields are
// damage, for all files are written by this package.
func (t table[R]) read(r io.Reader, path string, expect int) (int, error) {
	if expect > 0 {
		*t.records = make([]R, 0, min(expect, MaxFileRecords))
	}
	in := newStrings()
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), MaxLineBytes)
	var one feed
	dec := json.NewDecoder(&one)
	dec.DisallowUnknownFields()
	line := 0
	for lines.Scan() {
		line++
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		if len(*t.records) == MaxFileRecords {
			return 0, fmt.Errorf("%s:%d: more than %d records", path, line, MaxFileRecords)
		}
		var v R
		if err := one.decode(dec, text, &v); err != nil {
			return 0, fmt.Errorf("%s:%d: damaged: %w", path, line, err)
		}
		if s, ok := any(&v).(interface{ share(*shared) }); ok {
			s.share(in)
		}
		*t.records = append(*t.records, v)
	}
	if err := lines.Err(); err != nil {
		return 0, fmt.Errorf("%s: damaged after line %d: %w", path, line, err)
	}
	return len(*t.records), nil
}

// A feed gives a decoder one line at a time: one decoder for a whole file makes no
// garbage for each line.
type feed struct {
	rest []byte
	fed  int64
}

func (f *feed) Read(p []byte) (int, error) {
	if len(f.rest) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

func (f *feed) decode(dec *json.Decoder, line []byte, into any) error {
	if line[0] != '{' {
		return errors.New("not a JSON object")
	}
	f.rest = line
	f.fed += int64(len(line))
	if err := dec.Decode(into); err != nil {
		return err
	}
	if dec.InputOffset() != f.fed {
		return errors.New("something follows the record")
	}
	return nil
}

// save writes the file and takes away what an earlier save or an editor left
// under the name that it has uncompressed.
func (f file) save(path string) (tally, error) {
	c, n := newCount(), 0
	err := writeFile(path, func(w io.Writer) (err error) {
		if !strings.HasSuffix(path, packed) {
			n, err = f.write(io.MultiWriter(w, c))
			return err
		}
		z, err := zstd.NewWriter(w, zstd.WithEncoderCRC(true), zstd.WithZeroFrames(true), zstd.WithEncoderConcurrency(1))
		if err != nil {
			return err
		}
		n, err = f.write(io.MultiWriter(z, c))
		return errors.Join(err, z.Close())
	})
	if plain, ok := strings.CutSuffix(path, packed); ok && err == nil {
		err = remove(plain)
	}
	return c.tally(n), err
}

// load reads the file, or the one that somebody unpacked from it.
func (f file) load(dir string, expect int) (tally, string, error) {
	path := filepath.Join(dir, f.name)
	if plain, ok := strings.CutSuffix(path, packed); ok && exists(plain) {
		if exists(path) {
			return tally{}, path, fmt.Errorf("%s lies beside %s: remove the one that is not to be judged", filepath.Base(plain), path)
		}
		path = plain
	}
	in, err := os.Open(path)
	if err != nil {
		return tally{}, path, fmt.Errorf("open history: %w", err)
	}
	defer in.Close()
	var r io.Reader = in
	if strings.HasSuffix(path, packed) {
		if st, err := in.Stat(); err == nil && st.Size() == 0 {
			return tally{}, path, fmt.Errorf("%s: damaged: it is empty", path)
		}
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
		if err != nil {
			return tally{}, path, fmt.Errorf("%s: %w", path, err)
		}
		defer z.Close()
		r = z
	}
	c := newCount()
	n, err := f.read(io.TeeReader(r, c), path, expect)
	return c.tally(n), path, err
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// writeFile makes a file that appears as a whole or not at all.
func writeFile(path string, fill func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("save history: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("save %s: %w", path, errors.Join(err, f.Close(), os.Remove(f.Name())))
		}
	}()
	w := bufio.NewWriter(f)
	if err := fill(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return f.Close()
}
