package history

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// A tally is what a file held when it was saved, before compression.
type tally struct {
	Records int    `json:"records"`
	Bytes   int64  `json:"bytes"`
	Sum     string `json:"sha256"` // its first 16 digits
}

// against says whether a file still holds what was saved. Other records are
// somebody's edit; other bytes in the same place are damage where nothing else
// tells the two apart: a compressed file has a checksum of its own.
func (t tally) against(got tally, path string) (edited string, err error) {
	switch name := filepath.Base(path); {
	case got.Records != t.Records:
		return fmt.Sprintf("%s has %d records, and had %d when it was saved", name, got.Records, t.Records), nil
	case got.Sum == t.Sum:
		return "", nil
	case got.Bytes == t.Bytes && !strings.HasSuffix(path, packed):
		return "", fmt.Errorf("%s: damaged: as long as it was saved, but not the same; if this was done on purpose, add an empty line to it", path)
	default:
		return fmt.Sprintf("%s was changed since it was saved", name), nil
	}
}

// count sums up what passes.
type count struct {
	n   int64
	sum interface {
		io.Writer
		Sum([]byte) []byte
	}
}

func newCount() *count { return &count{sum: sha256.New()} }

func (c *count) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return c.sum.Write(b)
}

func (c *count) tally(records int) tally {
	return tally{Records: records, Bytes: c.n, Sum: hex.EncodeToString(c.sum.Sum(nil)[:8])}
}
