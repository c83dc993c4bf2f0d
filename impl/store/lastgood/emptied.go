package lastgood

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/unilb/unilb/impl/obs"
)

// previous is the name of the file that was there before a directory became empty.
const previous = "config.previous"

// filled tells of each prefix of an image whether it has objects; names of directories,
// which end in a slash, are none.
func filled(img *Image) map[string]bool {
	full := map[string]bool{}
	if img == nil {
		return full
	}
	for _, c := range img.Contents {
		full[c.Prefix] = false
		for _, kv := range c.KVs {
			if !strings.HasSuffix(kv.Key, "/") {
				full[c.Prefix] = true
				break
			}
		}
	}
	return full
}

// spare moves the file aside, before img replaces it, when it has objects of a directory
// of which img has none. An etcd that was emptied, or replaced by an empty one, is
// followed like any other; but that is an accident more often than not, and the file may
// be all that is left.
func (k *Keeper) spare(img *Image) error {
	next := filled(img)
	was := k.onDisk
	for prefix, full := range next {
		if full {
			continue
		}
		if was == nil { // another process wrote it; one that cannot be read has nothing to lose
			old, _ := Read(k.o.Dir)
			was = filled(old)
			k.onDisk = was
		}
		if !was[prefix] {
			continue
		}
		if err := os.Rename(filepath.Join(k.o.Dir, name), filepath.Join(k.o.Dir, previous)); err != nil {
			return fmt.Errorf("keep the file from before: %w", err)
		}
		k.o.Log.Warn("configuration became empty: the last good one from before is kept", obs.Prefix, prefix, "path", filepath.Join(k.o.Dir, previous))
		return nil
	}
	return nil
}
