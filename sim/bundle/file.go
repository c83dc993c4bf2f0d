package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml"
)

// MaxFile is the longest file that is read whole, in bytes.
const MaxFile = 64 << 20

// Write lets f write a file, which appears under its name when f has ended well.
func (b *Bundle) Write(name string, f func(io.Writer) error) (err error) {
	path := b.Path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	next, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			next.Close()
			_ = os.Remove(next.Name()) // it is ours, and useless
			err = fmt.Errorf("write %s: %w", name, err)
		}
	}()
	if err = f(next); err != nil {
		return err
	}
	if err = next.Chmod(0o644); err != nil {
		return err
	}
	if err = next.Close(); err != nil {
		return err
	}
	return os.Rename(next.Name(), path)
}

// WriteText writes a file.
func (b *Bundle) WriteText(name, text string) error {
	return b.Write(name, func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
}

// WriteYAML writes a value for people.
func (b *Bundle) WriteYAML(name string, v any) error {
	return b.Write(name, func(w io.Writer) error {
		text, err := yaml.MarshalWithOptions(v, yaml.UseJSONMarshaler(), yaml.UseLiteralStyleIfMultiline(true))
		if err == nil {
			_, err = w.Write(text)
		}
		return err
	})
}

// WriteJSON writes a value for programs.
func (b *Bundle) WriteJSON(name string, v any) error {
	return b.Write(name, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		return e.Encode(v)
	})
}

// A Damaged says which file of a run cannot be read.
type Damaged struct {
	Path string
	Err  error
}

func (e *Damaged) Error() string {
	if errors.Is(e.Err, fs.ErrNotExist) {
		return fmt.Sprintf("%s is missing: the run did not come to its end, or somebody removed it; nothing of this run is judged", e.Path)
	}
	return fmt.Sprintf("%s is damaged: %v; nothing of this run is judged", e.Path, e.Err)
}
func (e *Damaged) Unwrap() error { return e.Err }

// Read reads a whole file.
func (b *Bundle) Read(name string) ([]byte, error) {
	f, err := os.Open(b.Path(name))
	if err != nil {
		return nil, &Damaged{b.Path(name), err}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, MaxFile))
	if err != nil {
		return nil, &Damaged{b.Path(name), err}
	}
	return text, nil
}

// ReadYAML reads what WriteYAML wrote.
func (b *Bundle) ReadYAML(name string, into any) error {
	text, err := b.Read(name)
	if err != nil {
		return err
	}
	if err := yaml.UnmarshalWithOptions(text, into, yaml.UseJSONUnmarshaler()); err != nil {
		return &Damaged{b.Path(name), err}
	}
	return nil
}

// ReadJSON reads what WriteJSON wrote.
func (b *Bundle) ReadJSON(name string, into any) error {
	text, err := b.Read(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return &Damaged{b.Path(name), err}
	}
	return nil
}
