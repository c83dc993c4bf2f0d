package fault

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// A State says how far a fault has come.
type State string

// The states, in their order.
const (
	Applying State = "applying" // written before anything is broken
	Applied  State = "applied"
	Reverted State = "reverted"
)

// An Entry is one line of the ledger.
type Entry struct {
	ID    string          `json:"id"`
	State State           `json:"state"`
	At    time.Duration   `json:"at"` // on the run's clock
	Text  string          `json:"text"`
	Fault json.RawMessage `json:"fault"` // see Decode
}

// maxLine bounds one line of a ledger, in bytes.
const maxLine = 1 << 20

// A Ledger is a file of entries, one a line, that is only ever appended to. Each
// entry is on disk when Write returns. It also knows what active faults have
// claimed; see Claimer.
type Ledger struct {
	mu sync.Mutex
	f  *os.File

	claiming sync.Mutex
	claims   map[Claim]holder
}

// OpenLedger opens the file for appending and makes it if missing.
func OpenLedger(path string) (*Ledger, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	return &Ledger{f: f}, nil
}

// Write appends an entry.
func (l *Ledger) Write(e Entry) error {
	b, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write ledger: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.f.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("write ledger: %w", err)
	}
	if err := l.f.Sync(); err != nil {
		return fmt.Errorf("write ledger: %w", err)
	}
	return nil
}

// Close closes the file.
func (l *Ledger) Close() error { return l.f.Close() }

// Pending reads a ledger and returns the faults that were begun and not reverted,
// the last one first: the order in which they are to be reverted. A missing file
// has none. A last line that was cut by a crash is left out: its fault was not yet
// applied.
func Pending(path string) ([]Entry, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	defer f.Close()
	var order []string
	last := map[string]Entry{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxLine)
	var broken error
	for n := 1; lines.Scan(); n++ {
		if broken != nil {
			return nil, broken
		}
		var e Entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			broken = fmt.Errorf("read ledger: line %d: %w", n, err)
			continue
		}
		if _, known := last[e.ID]; !known {
			order = append(order, e.ID)
		}
		last[e.ID] = e
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	var pending []Entry
	for i := len(order) - 1; i >= 0; i-- {
		if e := last[order[i]]; e.State != Reverted {
			pending = append(pending, e)
		}
	}
	return pending, nil
}
