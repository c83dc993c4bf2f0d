package disk

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/sandbox"
)

// part is what the serving process is started for, and its name in lists of
// processes. Its arguments are the mount point and the directory behind it.
const part = "lbsim-disk"

func init() { sandbox.RegisterPart(part, serve) }

// request is one line on the server's standard input. Without Slow it only asks
// for the numbers.
type request struct {
	Slow *Slowness `json:"slow,omitempty"`
}

// reply is one line on its standard output; the first one says that the disk is
// mounted.
type reply struct {
	Stats Stats  `json:"stats"`
	Error string `json:"error,omitempty"`
}

// serve is the serving process. It ends when its standard input does.
func serve() int {
	// Who made the disk decides about its end: an interrupt at a terminal is no
	// reason to lose it.
	signal.Ignore(unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	answers := json.NewEncoder(os.Stdout)
	if len(os.Args) != 3 {
		_ = answers.Encode(reply{Error: "want a mount point and a directory"})
		return 1
	}
	dir, m := os.Args[1], newMeddler()
	if err := mount(dir, os.Args[2], m); err != nil {
		_ = answers.Encode(reply{Error: err.Error()})
		return 1
	}
	defer func() { _ = unmount(dir) }() // whoever made the disk may have done it
	if err := answers.Encode(reply{}); err != nil {
		return 1
	}
	questions := json.NewDecoder(os.Stdin)
	for {
		var r request
		if err := questions.Decode(&r); err != nil {
			if err == io.EOF {
				return 0
			}
			return 1
		}
		if r.Slow != nil {
			m.set(*r.Slow)
		}
		if err := answers.Encode(reply{Stats: m.snapshot()}); err != nil {
			return 1
		}
	}
}

// mount mounts the disk and begins to serve it.
func mount(dir, behind string, m *meddler) error {
	root, err := fs.NewLoopbackRoot(behind)
	if err != nil {
		return fmt.Errorf("open %s: %w", behind, err)
	}
	// Nobody changes files but through this mount: what the kernel knows of them
	// is good for as long as it likes.
	forever := 24 * time.Hour
	_, err = fs.Mount(dir, &node{LoopbackNode: root.(*fs.LoopbackNode), m: m}, &fs.Options{
		EntryTimeout: &forever, AttrTimeout: &forever,
		MountOptions: fuse.MountOptions{
			Name: "lbsim", FsName: behind, DirectMountStrict: true, MaxWrite: 1 << 20,
			// Its users run as anybody.
			AllowOther: true, Options: []string{"default_permissions"},
			// The kernel would ask for an attribute before each write.
			DisableXAttrs:            true,
			ExplicitDataCacheControl: true,
		},
	})
	if err != nil {
		return fmt.Errorf("mount FUSE file system: %w", err)
	}
	return nil
}

// unmount takes a mount away whoever still uses it: open files fail from now on.
// It asks the kernel alone, never the file system, so it cannot hang.
func unmount(dir string) error {
	return unix.Unmount(dir, unix.MNT_FORCE|unix.MNT_DETACH)
}
