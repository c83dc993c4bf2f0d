package history

import (
	"path/filepath"
	"time"
)

// StartOf reads when the clock of a saved history was zero, and nothing else of it.
func StartOf(dir string) (time.Time, error) {
	m, err := openMeta(filepath.Join(dir, runFile))
	return m.Start, err
}
