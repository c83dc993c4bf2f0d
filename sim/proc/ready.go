package proc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/unilb/unilb/sim/traffic"
)

// A NotReady error says that a process ended, or did not answer, before it was
// ready. Log holds the last lines that it wrote.
type NotReady struct {
	Name string
	Log  string
	Err  error
}

func (e *NotReady) Error() string {
	if e.Log == "" {
		return fmt.Sprintf("%s did not become ready: %v; it wrote nothing", e.Name, e.Err)
	}
	return fmt.Sprintf("%s did not become ready: %v; its last lines:\n%s", e.Name, e.Err, e.Log)
}

func (e *NotReady) Unwrap() error { return e.Err }

// tailBytes is how much of a log an error quotes.
const tailBytes = 2048

// WaitReady returns when the process has said that it is ready (see Spec.Ready).
// The error is *NotReady when the process ended or ctx was done first.
func (p *Process) WaitReady(ctx context.Context) error {
	if p.spec.Ready != "" {
		go p.probe(ctx)
	}
	var err error
	select {
	case <-p.ready:
		return nil
	case <-p.done:
		err = fmt.Errorf("it ended: %s", p.Exit())
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return &NotReady{Name: p.spec.Name, Log: p.Tail(tailBytes), Err: err}
}

func (p *Process) setReady() {
	p.readyOnce.Do(func() {
		p.readyAt = time.Now()
		close(p.ready)
	})
}

// ReadyAfter is the time from the start until the process was ready; 0 when it has
// not been.
func (p *Process) ReadyAfter() time.Duration {
	select {
	case <-p.ready:
		return p.readyAt.Sub(p.started)
	default:
		return 0
	}
}

// probe asks the process's address from its namespace until it answers.
func (p *Process) probe(ctx context.Context) {
	client := traffic.HTTP(place{p.spec.NS}, time.Second)
	defer client.CloseIdleConnections()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := p.answers(ctx, client); err == nil {
			p.setReady()
			return
		}
		select {
		case <-tick.C:
		case <-p.done:
			return
		case <-ctx.Done():
			return
		}
	}
}

// answers asks once whether the process serves.
func (p *Process) answers(ctx context.Context, client *http.Client) error {
	at, dial := strings.CutPrefix(p.spec.Ready, "tcp://")
	if !dial {
		return Get(ctx, client, p.spec.Ready)
	}
	to, err := netip.ParseAddrPort(at)
	if err != nil {
		return fmt.Errorf("dial %q: want a literal address: %w", at, err)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	c, err := Dial(ctx, p.spec.NS, "tcp", to)
	if err != nil {
		return err
	}
	return c.Close()
}

// Get asks an address once; anything but 200 is an error.
func Get(ctx context.Context, c *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, resp.Status)
	}
	return nil
}

// notifySocket is the receiving end of sd_notify(3).
type notifySocket struct {
	conn *net.UnixConn
	path string
}

func (p *Process) openNotify(path string) error {
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("make readiness socket: %w", err)
	}
	p.notify = &notifySocket{conn: conn, path: path}
	return nil
}

func (p *Process) closeNotify() {
	if p.notify != nil {
		_ = p.notify.conn.Close() // closed twice at worst
		_ = os.Remove(p.notify.path)
	}
}

func (p *Process) listen() {
	buf := make([]byte, 4096)
	for {
		n, err := p.notify.conn.Read(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		for line := range strings.Lines(string(buf[:n])) {
			switch name, value, _ := strings.Cut(strings.TrimSpace(line), "="); {
			case name == "READY" && value == "1":
				p.setReady()
			case name == "MAINPID":
				p.name(value)
			case name == heardName:
				p.saidAll()
			}
		}
	}
}
