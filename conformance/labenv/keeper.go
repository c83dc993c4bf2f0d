package labenv

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/unilb/unilb/conformance/compare"
)

// seenFile holds what each run of each case showed, one compare.Seen a line, so
// that a run can be compared with another one later.
const seenFile = "seen.ndjson"

// A keeper writes it; it is used by one goroutine.
type keeper struct {
	f *os.File
	w *bufio.Writer
}

func newKeeper(dir string) (*keeper, error) {
	f, err := os.Create(filepath.Join(dir, seenFile))
	if err != nil {
		return nil, fmt.Errorf("keep what was seen: %w", err)
	}
	return &keeper{f: f, w: bufio.NewWriter(f)}, nil
}

func (k *keeper) seen(s compare.Seen) error {
	b, err := json.Marshal(s)
	if err == nil {
		_, err = k.w.Write(append(b, '\n'))
	}
	if err != nil {
		return fmt.Errorf("keep what was seen: %w", err)
	}
	return nil
}

func (k *keeper) close() error {
	if err := errors.Join(k.w.Flush(), k.f.Close()); err != nil {
		return fmt.Errorf("keep what was seen: %w", err)
	}
	return nil
}

// maxSeenBytes is the longest line of the file.
const maxSeenBytes = 64 << 20

// readSeen reads what a run kept, by case; nil when it kept nothing.
func readSeen(dir string) (map[string][]compare.Seen, error) {
	f, err := os.Open(filepath.Join(dir, seenFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what was seen: %w", err)
	}
	defer f.Close()
	out := map[string][]compare.Seen{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxSeenBytes)
	for n := 1; lines.Scan(); n++ {
		var s compare.Seen
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			return nil, fmt.Errorf("%s:%d: damaged: %w", f.Name(), n, err)
		}
		out[s.Case] = append(out[s.Case], s)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: damaged: %w", f.Name(), err)
	}
	return out, nil
}
