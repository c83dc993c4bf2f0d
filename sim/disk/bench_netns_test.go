//go:build netns

package disk

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/unilb/unilb/sim/sandbox"
)

// BenchmarkAppendAndSync is what a write-ahead log does, on a disk of ours and on
// the directory behind it.
func BenchmarkAppendAndSync(b *testing.B) {
	sandbox.Require(b, sandbox.CapNetNS, sandbox.CapFUSE)
	dir, behind, err := dirs(os.MkdirTemp)
	if err != nil {
		b.Fatal(err)
	}
	d, err := Mount(dir, behind)
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	for name, where := range map[string]string{"disk": dir, "behind": behind} {
		b.Run(name, func(b *testing.B) {
			f, err := os.Create(filepath.Join(where, name))
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			entry := make([]byte, 4096)
			for i := 0; b.Loop(); i++ {
				if _, err := f.WriteAt(entry, int64(i%1000)*4096); err != nil {
					b.Fatal(err)
				}
				if err := f.Sync(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
