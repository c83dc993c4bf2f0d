package census

import (
	"bufio"
	"cmp"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/history"
)

// descriptors counts what this process has open. Left out are:
//
//   - what the Go runtime opens for itself, when it likes: its poller (eventpoll)
//     and the eventfd that wakes it;
//   - handles of processes that were waited for (pidfd): they go with the garbage;
//   - stream sockets of the machine's own kind (AF_UNIX): a supervisor's
//     conversation with its clients, one of which asks for this very census;
//   - what the census itself reads (/proc), and files below Options.Own.
//
// Sockets, pipes and eBPF objects are told apart by the kernel's number for them;
// of all else it is counted how many descriptors lead there.
func (t *taker) descriptors() error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err != nil {
			continue // closed meanwhile: that of ReadDir, at least
		}
		id, text := t.describe(fd, target)
		if id == "" {
			continue
		}
		if err := t.add(id, text); err != nil {
			return err
		}
	}
	t.sort()
	return nil
}

// describe says what a descriptor is and how it reads; an empty id: it does not count.
func (t *taker) describe(fd int, target string) (id, text string) {
	switch {
	case target == "anon_inode:[eventpoll]", target == "anon_inode:[eventfd]", strings.HasPrefix(target, "/proc/"):
		return "", ""
	case strings.Contains(target, "pidfd"):
		pid := detail(fd, "Pid")
		if pid == "" || pid == "-1" {
			return "", ""
		}
		return "pidfd of " + pid, ""
	case strings.HasPrefix(target, "socket:"):
		kind := socket(fd)
		if kind == "" {
			return "", ""
		}
		return target, kind
	case strings.Contains(target, "bpf"):
		kind := strings.Trim(strings.TrimPrefix(target, "anon_inode:"), "[]")
		number := cmp.Or(detail(fd, "map_id"), detail(fd, "prog_id"), detail(fd, "link_id"))
		return kind + " " + number, ""
	case t.own(target):
		return "", ""
	}
	return target, ""
}

// detail reads one line of what the kernel says about a descriptor.
func detail(fd int, key string) string {
	f, err := os.Open(fmt.Sprintf("/proc/self/fdinfo/%d", fd))
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if k, v, ok := strings.Cut(lines.Text(), ":"); ok && k == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// socket says what a socket is for; empty when it does not count.
func socket(fd int) string {
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return "" // closed meanwhile
	}
	kind, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	listening, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if domain == unix.AF_UNIX && kind == unix.SOCK_STREAM {
		return ""
	}
	names := map[int]string{unix.AF_INET: "IPv4", unix.AF_INET6: "IPv6", unix.AF_UNIX: "unix", unix.AF_NETLINK: "netlink", unix.AF_PACKET: "packet"}
	types := map[int]string{unix.SOCK_STREAM: "stream", unix.SOCK_DGRAM: "datagram", unix.SOCK_RAW: "raw", unix.SOCK_SEQPACKET: "packet"}
	s := fmt.Sprintf("%s %s socket", cmp.Or(names[domain], fmt.Sprintf("family %d", domain)), cmp.Or(types[kind], fmt.Sprintf("type %d", kind)))
	if a, err := unix.Getsockname(fd); err == nil {
		s += address(a)
	}
	if listening == 1 {
		s += ", listening"
	}
	return s
}

func address(a unix.Sockaddr) string {
	switch a := a.(type) {
	case *unix.SockaddrInet4:
		return " at " + netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)).String()
	case *unix.SockaddrInet6:
		return " at " + netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port)).String()
	case *unix.SockaddrUnix:
		return " at " + strconv.Quote(a.Name)
	}
	return ""
}

func (t *taker) sort() {
	slices.SortFunc(t.things, func(a, b history.Thing) int { return strings.Compare(a.ID, b.ID) })
}
