package history

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// MaxLineBytes is the longest line Open accepts.
const MaxLineBytes = 8 << 20

// Names of the files in a run directory.
const (
	runFile      = "history.json" // wall-clock start and lost records; written last, so its absence shows an unfinished save
	opsFile      = "ops.ndjson"
	arrivalsFile = "arrivals.ndjson"
	writesFile   = "writes.ndjson"
	faultsFile   = "faults.ndjson"
	eventsFile   = "events.ndjson"
)

type meta struct {
	Start time.Time `json:"start"`
	Lost  int       `json:"lost"`
}

// Save writes the history into dir, one JSON object a line, a file for each
// kind of record. The directory is made when it is missing; files of an
// earlier save are replaced.
func (h *History) Save(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("save history: %w", err)
	}
	err := errors.Join(
		saveLines(filepath.Join(dir, opsFile), h.Ops),
		saveLines(filepath.Join(dir, arrivalsFile), h.Arrivals),
		saveLines(filepath.Join(dir, writesFile), h.Writes),
		saveLines(filepath.Join(dir, faultsFile), h.Faults),
		saveLines(filepath.Join(dir, eventsFile), h.Events),
	)
	if err != nil {
		return err
	}
	return saveLines(filepath.Join(dir, runFile), []meta{{Start: h.Start, Lost: h.Lost}})
}

// Open reads what Save wrote. A damaged line is an error that names the file
// and the line; a history with a missing file is not half a history.
func Open(dir string) (*History, error) {
	h := &History{}
	var m []meta
	err := errors.Join(
		loadLines(filepath.Join(dir, runFile), &m),
		loadLines(filepath.Join(dir, opsFile), &h.Ops),
		loadLines(filepath.Join(dir, arrivalsFile), &h.Arrivals),
		loadLines(filepath.Join(dir, writesFile), &h.Writes),
		loadLines(filepath.Join(dir, faultsFile), &h.Faults),
		loadLines(filepath.Join(dir, eventsFile), &h.Events),
	)
	if err != nil {
		return nil, err
	}
	if len(m) != 1 {
		return nil, fmt.Errorf("%s: want one line, got %d", filepath.Join(dir, runFile), len(m))
	}
	h.Start, h.Lost = m[0].Start, m[0].Lost
	return h, nil
}

func saveLines[R any](path string, rs []R) (err error) {
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
	enc := json.NewEncoder(w)
	for i := range rs {
		if err := enc.Encode(&rs[i]); err != nil {
			return err
		}
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

func loadLines[R any](path string, into *[]R) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open history: %w", err)
	}
	defer f.Close()
	return decodeLines(f, path, into)
}

func decodeLines[R any](r io.Reader, name string, into *[]R) error {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 64<<10), MaxLineBytes)
	for line := 1; s.Scan(); line++ {
		var v R
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			return fmt.Errorf("%s:%d: %w", name, line, err)
		}
		*into = append(*into, v)
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
