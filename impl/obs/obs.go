// Package obs owns how our processes speak to the people and the machines that
// run them: the shape of log lines, the names of their keys, the version, and
// the readiness notification.
//
// It never decides what is worth logging and keeps no state beyond the process's
// gRPC logger. Everything here is
// safe for concurrent use.
package obs

import (
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strconv"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Keys of log attributes. One thing has one name in every process, so that a
// search over the logs of a region finds all of it.
const (
	Node     = "node"     // name of a node, a path such as bj/az1/l7-1
	Rev      = "rev"      // etcd revision
	Route    = "route"    // id of a route
	Upstream = "upstream" // id of an upstream
	Target   = "target"   // host:port of a target
	VNI      = "vni"      // VXLAN network identifier
	Op       = "op"       // id of an operation, or what was being done
	Err      = "err"      // an error
	Key      = "key"      // a key in etcd
	Prefix   = "prefix"   // a directory in etcd
)

// Logger returns a logger that writes JSON lines to w. The level is debug, info,
// warn or error, in any case; the empty string is info. The first logger of a
// process also receives what gRPC logs by itself: make it before gRPC is used.
func Logger(w io.Writer, level string) (*slog.Logger, error) {
	var l slog.Level
	if level != "" {
		if err := l.UnmarshalText([]byte(level)); err != nil {
			return nil, fmt.Errorf("log level %q: want debug, info, warn or error", level)
		}
	}
	log := slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: l}))
	adoptGRPC(log)
	return log, nil
}

// Ready tells the service manager that the process can do its work (READY=1 to
// $NOTIFY_SOCKET). It returns nil when nobody asked to be told.
func Ready() error {
	if _, err := daemon.SdNotify(false, daemon.SdNotifyReady); err != nil {
		return fmt.Errorf("notify readiness: %w", err)
	}
	return nil
}

// Stopping tells the service manager that the process has begun to end
// (STOPPING=1). It returns nil when nobody asked to be told.
func Stopping() error {
	if _, err := daemon.SdNotify(false, daemon.SdNotifyStopping); err != nil {
		return fmt.Errorf("notify stopping: %w", err)
	}
	return nil
}

// MainPID tells the service manager which process is the main one from now on
// (MAINPID=). It returns nil when nobody asked to be told.
func MainPID(pid int) error {
	if _, err := daemon.SdNotify(false, "MAINPID="+strconv.Itoa(pid)); err != nil {
		return fmt.Errorf("notify main process: %w", err)
	}
	return nil
}

// Version returns the version of the running binary: the module version when it
// was built from a released module, else the VCS revision (with "+dirty" when
// the tree had changes), else "devel".
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	return version(info)
}

func version(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	rev, dirty := "", ""
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			rev = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				dirty = "+dirty"
			}
		}
	}
	if rev == "" {
		return "devel"
	}
	const shown = 12 // hex digits, as git abbreviates
	if len(rev) > shown {
		rev = rev[:shown]
	}
	return rev + dirty
}
