package history

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Limits of what Open reads.
const (
	MaxLineBytes   = 8 << 20    // longest line
	MaxRunBytes    = 1 << 20    // history.json
	MaxFileRecords = MaxRecords // of one kind
)

// runFile is written last: its absence shows an unfinished save.
const runFile = "history.json"

// packed is what compressed files end in. Open reads such a file without it, too:
// somebody unpacked it.
const packed = ".zst"

// A meta is history.json: what belongs to no kind of record, and what the files
// held when they were saved.
type meta struct {
	Start time.Time `json:"start"`
	Lost  int       `json:"lost"`
	// What had been edited before this save, which hides it from the tallies.
	Edited []string         `json:"edited,omitempty"`
	Files  map[string]tally `json:"files,omitempty"` // by name; absent: saved before there were tallies
	Sum    string           `json:"sum,omitempty"`   // of all the above
}

func (m meta) digest() string {
	m.Sum = ""
	b, _ := json.Marshal(m) // numbers, texts and a time: it cannot fail
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// A file is one kind of record.
type file struct {
	name  string // "ops.ndjson.zst"
	since bool   // histories without tallies need not have it
	rows
}

func (h *History) files(c *[]censusLine) []file {
	return []file{
		{name: "ops.ndjson" + packed, rows: table[Op]{&h.Ops}},
		{name: "arrivals.ndjson" + packed, rows: table[Arrival]{&h.Arrivals}},
		{name: "writes.ndjson", rows: table[Write]{&h.Writes}},
		{name: "admin.ndjson", rows: table[AdminCall]{&h.AdminCalls}, since: true},
		{name: "faults.ndjson", rows: table[FaultWindow]{&h.Faults}},
		{name: "spans.ndjson", rows: table[Span]{&h.Spans}, since: true},
		{name: "events.ndjson", rows: table[Event]{&h.Events}},
		{name: "census.ndjson", rows: table[censusLine]{c}, since: true},
	}
}

// censusLine is a census in its file.
type censusLine struct {
	When string `json:"when"` // "before" or "after"
	Census
}

// Save writes the history into dir, one JSON object a line, a file for each
// kind of record; ops and arrivals are compressed. The directory is made when it
// is missing; files of an earlier save are replaced.
func (h *History) Save(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("save history: %w", err)
	}
	if err := remove(filepath.Join(dir, runFile)); err != nil {
		return err
	}
	var census []censusLine
	if h.Before != nil {
		census = append(census, censusLine{"before", *h.Before})
	}
	if h.After != nil {
		census = append(census, censusLine{"after", *h.After})
	}
	m := meta{Start: h.Start, Lost: h.Lost, Edited: h.Edited, Files: map[string]tally{}}
	for _, f := range h.files(&census) {
		t, err := f.save(filepath.Join(dir, f.name))
		if err != nil {
			return err
		}
		m.Files[f.name] = t
	}
	m.Sum = m.digest()
	return writeFile(filepath.Join(dir, runFile), func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(m)
	})
}

// Open reads what Save wrote. A damaged or missing file is an error that names it,
// and the line where there is one: a history with a missing file is not half a
// history. A file from which somebody took records is not damaged: History.Edited
// says so. Histories that were saved before there was compression are read, too.
func Open(dir string) (*History, error) {
	m, err := openMeta(filepath.Join(dir, runFile))
	if err != nil {
		return nil, err
	}
	h := &History{Start: m.Start, Lost: m.Lost, Edited: m.Edited}
	var census []censusLine
	files := h.files(&census)
	errs, edited := make([]error, len(files)), make([]string, len(files))
	var wg sync.WaitGroup
	for i, f := range files {
		if f.since && m.Files == nil && !exists(filepath.Join(dir, f.name)) {
			continue
		}
		wg.Go(func() { edited[i], errs[i] = f.open(dir, m.Files) }) // each fills its own field of h
	}
	wg.Wait()
	for _, e := range edited {
		if e != "" {
			h.Edited = append(h.Edited, e)
		}
	}
	for _, c := range census {
		switch c.When {
		case "before":
			h.Before = &c.Census
		case "after":
			h.After = &c.Census
		default:
			errs = append(errs, fmt.Errorf("%s: a census is taken before or after, not %q", filepath.Join(dir, "census.ndjson"), c.When))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return h, nil
}

// open reads one file and says how it was edited, if it was.
func (f file) open(dir string, tallies map[string]tally) (edited string, err error) {
	saved, known := tallies[f.name]
	got, path, err := f.load(dir, saved.Records)
	if err != nil || !known {
		return "", err
	}
	return saved.against(got, path)
}

func openMeta(path string) (meta, error) {
	f, err := os.Open(path)
	if err != nil {
		return meta{}, fmt.Errorf("open history: %w", err)
	}
	defer f.Close()
	var m meta
	dec := json.NewDecoder(io.LimitReader(f, MaxRunBytes))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		return meta{}, fmt.Errorf("%s: %w", path, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return meta{}, fmt.Errorf("%s: something follows the end", path)
	}
	if m.Sum == "" && m.Files != nil || m.Sum != "" && m.Sum != m.digest() {
		return meta{}, fmt.Errorf("%s: damaged: it does not hold what was saved", path)
	}
	return m, nil
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("save history: %w", err)
	}
	return nil
}
