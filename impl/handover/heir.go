package handover

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// An Heir is this process when it was started to take over from another. A nil Heir is
// valid: nothing is inherited and there is nobody to wait for.
type Heir struct {
	conn   net.Conn
	in     *json.Decoder
	secret []byte

	mu       sync.Mutex
	sockets  []Socket // that nobody has taken
	progress *Progress
}

// Inherit returns what a predecessor has left to this process; nil when it has none. It
// must be called before anything opens or starts anything, and removes Variable from the
// environment.
func Inherit() (*Heir, error) {
	text, ok := os.LookupEnv(Variable)
	if !ok {
		return nil, nil
	}
	if err := os.Unsetenv(Variable); err != nil {
		return nil, fmt.Errorf("remove %s: %w", Variable, err)
	}
	fd, err := strconv.Atoi(text)
	if err != nil || fd < firstFD {
		return nil, fmt.Errorf("environment variable %s: %q is no descriptor", Variable, text)
	}
	unix.CloseOnExec(fd)
	conn, err := connOf(fd)
	if err != nil {
		return nil, fmt.Errorf("speak to the predecessor: %w", err)
	}
	h := &Heir{conn: conn, in: json.NewDecoder(conn)}
	if err := h.hear(); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("hear what is inherited: %w", err)
	}
	return h, nil
}

func (h *Heir) hear() error {
	if err := h.conn.SetReadDeadline(time.Now().Add(legacyWait)); err != nil {
		return err
	}
	var m message
	if err := h.in.Decode(&m); err != nil {
		return err
	}
	if m.Legacy != nil {
		h.sockets, h.secret = m.Legacy.Sockets, m.Legacy.TicketSecret
	}
	for _, s := range h.sockets {
		unix.CloseOnExec(s.FD)
	}
	return h.conn.SetReadDeadline(time.Time{})
}

// TicketSecret is what the predecessor seals sessions of TLS with.
func (h *Heir) TicketSecret() []byte {
	if h == nil {
		return nil
	}
	return h.secret
}

// Take returns the sockets of a name, which are the caller's to close from then on. Safe
// for concurrent use.
func (h *Heir) Take(name string) []int {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var taken []int
	left := h.sockets[:0]
	for _, s := range h.sockets {
		if s.Name == name {
			taken = append(taken, s.FD)
		} else {
			left = append(left, s)
		}
	}
	h.sockets = left
	return taken
}

// CloseRest closes what nobody has taken, and returns its names. Safe for concurrent use.
func (h *Heir) CloseRest() []string {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var names []string
	for _, s := range h.sockets {
		_ = unix.Close(s.FD)
		names = append(names, s.Name)
	}
	h.sockets = nil
	return names
}

// Ready tells the predecessor that this process could serve, and waits until it has
// left the rest to us, or is gone, or ctx ends.
func (h *Heir) Ready(ctx context.Context) {
	if h == nil {
		return
	}
	if say(h.conn, message{Ready: true}, lineWait) != nil {
		return // gone
	}
	over := context.AfterFunc(ctx, func() { _ = h.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer over()
	for {
		var m message
		if h.in.Decode(&m) != nil {
			return
		}
		if m.Yours {
			go h.follow()
			return
		}
	}
}

// follow keeps what the predecessor says last, until it is gone.
func (h *Heir) follow() {
	defer func() { _ = h.conn.Close() }()
	for {
		var m message
		err := h.in.Decode(&m)
		h.mu.Lock()
		h.progress = m.Progress
		h.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Predecessor is how far the drain of the process is from which this one took over; nil
// when there is none, or it has ended. Safe for concurrent use.
func (h *Heir) Predecessor() *Progress {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.progress
}
