package supervisor

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/topology"
)

// ErrGone says that the supervisor ended before it answered.
var ErrGone = errors.New("the lab's supervisor ended before it answered")

// An InputError is an answer that says that the question was wrong.
type InputError struct{ Text string }

func (e *InputError) Error() string { return e.Text }

// A Client asks the supervisor of one lab.
type Client struct{ entry Entry }

// Open returns a client for a lab that List or Find returned.
func Open(e Entry) *Client { return &Client{entry: e} }

// ask sends a request and waits for the reply. It ends with ctx; the supervisor
// then stops what it does for this client.
func (c *Client) ask(ctx context.Context, r request, signals <-chan os.Signal, files ...*os.File) (reply, error) {
	conn, err := net.DialUnix("unix", nil, address(c.entry.Name))
	if err != nil {
		return reply{}, fmt.Errorf("reach lab %s: %w (%w)", c.entry.Name, ErrGone, err)
	}
	defer func() { _ = conn.Close() }()
	if err := sendRequest(conn, r, files...); err != nil {
		return reply{}, fmt.Errorf("ask lab %s: %w (%w)", c.entry.Name, ErrGone, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	done := make(chan struct{})
	defer close(done)
	go forward(conn, signals, done)
	var out reply
	if err := json.NewDecoder(bufio.NewReader(conn)).Decode(&out); err != nil {
		if ctx.Err() != nil {
			return reply{}, context.Cause(ctx)
		}
		return reply{}, fmt.Errorf("ask lab %s: %w (%w)", c.entry.Name, ErrGone, err)
	}
	switch {
	case out.Error != "" && out.Input:
		return out, &InputError{Text: out.Error}
	case out.Error != "" && out.Unavailable:
		return out, &Unavailable{Text: out.Error}
	case out.Error != "":
		return out, errors.New(out.Error)
	}
	return out, nil
}

// forward passes signals on to the command that runs for this client.
func forward(conn net.Conn, signals <-chan os.Signal, done <-chan struct{}) {
	for {
		select {
		case s := <-signals:
			n, ok := s.(syscall.Signal)
			if !ok {
				continue
			}
			if err := json.NewEncoder(conn).Encode(message{Signal: int(n)}); err != nil {
				return // the reply says more
			}
		case <-done:
			return
		}
	}
}

// Status returns what the lab looks like.
func (c *Client) Status(ctx context.Context) (lab.Status, error) {
	r, err := c.ask(ctx, request{Verb: verbStatus}, nil)
	if err != nil {
		return lab.Status{}, err
	}
	if r.Status == nil {
		return lab.Status{}, fmt.Errorf("ask lab %s: no status in the answer", c.entry.Name)
	}
	return *r.Status, nil
}

// Exec runs a command in a node with the given streams and returns its exit code.
// Signals that arrive on the channel reach the command; when ctx is done, or this
// process dies, it is killed.
func (c *Client) Exec(ctx context.Context, node topology.Ref, cmd lab.Command, signals <-chan os.Signal, stdin, stdout, stderr *os.File) (int, error) {
	r, err := c.ask(ctx, request{Verb: verbExec, Node: node, Path: cmd.Path, Args: cmd.Args, Env: cmd.Env, Dir: cmd.Dir, Terminal: cmd.Terminal},
		signals, stdin, stdout, stderr)
	return r.Code, err
}

// Down takes the lab down and returns when its sandbox has ended.
func (c *Client) Down(ctx context.Context) error {
	end, err := c.entry.watch(ctx)
	if err != nil {
		return err
	}
	defer end.close()
	if _, err := c.ask(ctx, request{Verb: verbDown}, nil); err != nil && !errors.Is(err, ErrGone) {
		return err
	}
	if err := end.await(ctx); err != nil {
		return err
	}
	return c.entry.forget()
}

// Inject applies a fault. It stays when this process ends. The error is *InputError
// when the target is wrong or in no state for it, *Unavailable when the lab or the
// machine cannot do it.
func (c *Client) Inject(ctx context.Context, f fault.Fault) ([]lab.FaultStatus, error) {
	encoded, err := fault.Encode(f)
	if err != nil {
		return nil, err
	}
	r, err := c.ask(ctx, request{Verb: verbInject, Fault: encoded}, nil)
	return r.Faults, err
}

// Lacking says of the kinds of faults that the lab cannot have, whatever their
// target, why that is so.
func (c *Client) Lacking(ctx context.Context) (map[string]string, error) {
	r, err := c.ask(ctx, request{Verb: verbFaults}, nil)
	return r.Lacking, err
}

// Heal reverts the faults with the ids, or all. It returns those that
// it reverted.
func (c *Client) Heal(ctx context.Context, ids ...string) ([]lab.FaultStatus, error) {
	r, err := c.ask(ctx, request{Verb: verbHeal, IDs: ids}, nil)
	return r.Faults, err
}
