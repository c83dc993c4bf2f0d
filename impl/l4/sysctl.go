package l4

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// setSysctls lets answers to probes in: they come straight from the member by
// the uplink, while the member's address is routed into the tunnel, which reverse
// path filtering takes for a forgery. The kernel uses the larger value of "all" and
// of the device.
func setSysctls(uplink string) error {
	for _, dev := range []string{"all", uplink, Tunnel} {
		if err := writeSysctl("0", "net", "ipv4", "conf", dev, "rp_filter"); err != nil {
			return err
		}
	}
	return nil
}

// disableIPv6 keeps router solicitations and the like out of the tunnel.
func disableIPv6(dev string) error {
	err := writeSysctl("1", "net", "ipv6", "conf", dev, "disable_ipv6")
	if errors.Is(err, os.ErrNotExist) {
		return nil // a kernel without IPv6
	}
	return err
}

// writeSysctl writes only what differs, so that a read-only /proc/sys that is
// right already does not hinder.
func writeSysctl(value string, path ...string) error {
	file := filepath.Join(append([]string{"/proc/sys"}, path...)...)
	old, err := os.ReadFile(file)
	if err == nil && strings.TrimSpace(string(old)) == value {
		return nil
	}
	if err == nil {
		err = os.WriteFile(file, []byte(value), 0o644)
	}
	if err != nil {
		return fmt.Errorf("set %s to %s: %w", strings.Join(path, "."), value, err)
	}
	return nil
}
